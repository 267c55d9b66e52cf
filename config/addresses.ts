/** Addresses as they stand in a configuration. */

/** `host:port` that a client can dial: `[::1]:7100`, `link.example.com:443`; a port of 0 is none. */
export function isAdvertisable(text: string): boolean {
  const port = Number(/^(?:\[[0-9a-fA-F:.]+\]|[^\s/:@[\]]+):(\d{1,5})$/.exec(text)?.[1] ?? 0);
  return port >= 1 && port <= 65_535;
}
