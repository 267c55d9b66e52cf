/**
 * The three commands that the demo prints: unicast, batch, multicast. Each is one line of POSIX shell and works as
 * it stands, while the demo runs.
 */
import { DEMO_APP, DEMO_ROOM, type DemoKeys } from './config.js';

export interface CurlCommand {
  readonly title: string;
  readonly command: string;
}

export interface CurlOptions {
  /** Base URL of the private listener. */
  readonly bridgeUrl: string;
  readonly keys: Pick<DemoKeys, 'im' | 'live'>;
  /** At least two devices that are online. */
  readonly devices: readonly string[];
}

export function curlCommands({ bridgeUrl, keys, devices }: CurlOptions): CurlCommand[] {
  const curl = (path: string, key: string, body: unknown): string =>
    `curl -sS -w '\\n' ${bridgeUrl}${path} -H 'authorization: Bearer ${key}' ` +
    `-H 'content-type: application/json' -d '${JSON.stringify(body)}'`;
  return [
    {
      title: 'unicast: one device',
      command: curl(`/v1/apps/${DEMO_APP}/devices/${devices[0]}/push`, keys.im, { payload: 'Hello from curl' }),
    },
    {
      title: 'batch: several devices, a result each',
      command: curl(`/v1/apps/${DEMO_APP}/push`, keys.im, { devices, payload: 'Hello to you all' }),
    },
    {
      title: 'multicast: every member of the live room',
      command: curl(`/v1/groups/${DEMO_ROOM}/push`, keys.live, { payload: 'Hello room' }),
    },
  ];
}
