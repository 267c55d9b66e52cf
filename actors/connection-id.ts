/**
 * A connection's id names the node's incarnation (one start of one node), the access worker and a serial number
 * that no restart of the worker reuses, so a router needs no second look-up to find it.
 */
export interface ConnectionId {
  /** 16 hexadecimal digits, new at every start of a node. */
  readonly incarnation: string;
  readonly worker: number;
  readonly serial: number;
}

/** Serials of one worker generation: 2^32, above which the generation is counted. */
const SERIALS_PER_GENERATION = 0x1_0000_0000;

/** The serials of one run of one worker thread: a restarted thread has the next generation. */
export function firstSerial(generation: number): number {
  return generation * SERIALS_PER_GENERATION + 1;
}

export function generationOf(serial: number): number {
  return Math.floor((serial - 1) / SERIALS_PER_GENERATION);
}

/** As it stands in logs, CONNACK and HTTP: `4f1c2ab09d3e5f60-1-1z141z5`. */
export function formatConnectionId({ incarnation, worker, serial }: ConnectionId): string {
  return `${incarnation}-${worker.toString(36)}-${serial.toString(36)}`;
}
