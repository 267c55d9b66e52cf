/** The pieces of comedy's references that actors use; `cluster/actor-system.ts` makes the real ones. */
export interface ActorRef {
  send(topic: string, message?: object): Promise<unknown>;
  sendAndReceive(topic: string, message?: object): Promise<unknown>;
  destroy(): Promise<unknown>;
}

export interface ParentRef {
  createChild(definition: object | string, config: object): Promise<ActorRef>;
}
