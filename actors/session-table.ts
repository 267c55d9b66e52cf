/** The sessions of one access worker by serial number. Whoever leaves it has left the node, and its place is free. */
import type { LoginDoor } from './ports.js';
import type { Session } from './session.js';

export class SessionTable extends Map<number, Session> {
  readonly #door: LoginDoor;

  /** @param door was asked for every session that is put in */
  constructor(door: LoginDoor) {
    super();
    this.#door = door;
  }

  override delete(serial: number): boolean {
    const wasInside = super.delete(serial);
    if (wasInside) this.#door.leave();
    return wasInside;
  }
}
