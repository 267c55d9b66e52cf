/**
 * Which devices a user is online with. Nearly every user has one, so a second is what makes a set; a set for each
 * would cost more than the routes themselves.
 */
export class UserIndex {
  readonly #devices = new Map<string, string | Set<string>>();

  add(app: string, uid: string, deviceId: string): void {
    const key = keyOf(app, uid);
    const known = this.#devices.get(key);
    if (known === undefined) this.#devices.set(key, deviceId);
    else if (typeof known !== 'string') known.add(deviceId);
    else if (known !== deviceId) this.#devices.set(key, new Set([known, deviceId]));
  }

  delete(app: string, uid: string, deviceId: string): void {
    const key = keyOf(app, uid);
    const known = this.#devices.get(key);
    if (known === deviceId) this.#devices.delete(key);
    if (known === undefined || typeof known === 'string') return;
    known.delete(deviceId);
    if (known.size === 0) this.#devices.delete(key);
  }

  devices(app: string, uid: string): Iterable<string> {
    const known = this.#devices.get(keyOf(app, uid));
    if (known === undefined) return [];
    return typeof known === 'string' ? [known] : known;
  }
}

function keyOf(app: string, uid: string): string {
  return `${app}\0${uid}`;
}
