/** What an application holds, whether its connection is shared or its own: the surface of TrunklineClient. */
import type { BusinessChannel } from '../business-channel.js';
import type { TrunklineClient } from '../client.js';

export type SharedChannel = Pick<BusinessChannel, 'name' | 'request' | 'onPush' | 'onRequest' | 'join' | 'leave'>;

export interface SharedClient
  extends Pick<TrunklineClient, 'state' | 'deviceId' | 'connect' | 'close' | 'reconnect' | 'on'> {
  /** `shared`: a SharedWorker holds the connection; `own`: this tab does, because the platform has none. */
  readonly link: 'shared' | 'own';
  business(name: string): SharedChannel;
}
