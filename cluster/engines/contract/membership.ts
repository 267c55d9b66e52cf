/** Which nodes there are: each announces itself when it can serve and withdraws when it stops. */
export interface NodeRecord {
  readonly name: string;
  /** 16 hexadecimal digits, new at every start. */
  readonly incarnation: string;
  /** Milliseconds since the Unix epoch. */
  readonly startedAtMs: number;
}

export interface Membership {
  announce(node: NodeRecord): Promise<void>;
  withdraw(incarnation: string): Promise<void>;
  list(): Promise<NodeRecord[]>;
}
