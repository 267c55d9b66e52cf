/**
 * The options of a shared client, divided: plain values go to the worker, functions stay in the tab, where the
 * worker asks for what they return.
 */
import type { StringMap } from '../../protocol/index.js';
import type { TrunklineClientOptions } from '../options.js';

/** Counts changes of what tabs and worker say to each other: those of different builds must not meet. */
const PORT_VERSION = 1;

/** Protocols that a browser speaks. */
export type WebProtocol = 'wss' | 'ws';

/** The plain part, as it crosses the port. The first tab's is in force until the last tab has gone. */
export interface SharedSettings
  extends Pick<
    TrunklineClientOptions,
    | 'bootstrapUrl'
    | 'app'
    | 'deviceId'
    | 'deviceSecret'
    | 'requestDeadlineMs'
    | 'connectTimeoutMs'
    | 'maxQueuedRequests'
    | 'racing'
    | 'adaptiveHeartbeat'
    | 'measurements'
  > {
  readonly attributes: StringMap;
  readonly protocols: readonly WebProtocol[];
  /** Which callbacks the tab has. */
  readonly asks: { readonly credentials: boolean; readonly assertion: boolean };
}

/** Answered in the tab, for whichever tab the worker asks. */
export type SharedCallbacks = Pick<TrunklineClientOptions, 'credentials' | 'assertion' | 'storage'>;

export interface SharedClientOptions
  extends Omit<SharedSettings, 'asks' | 'attributes' | 'protocols'>,
    SharedCallbacks {
  readonly attributes?: StringMap | undefined;
  /** Those that may be used; both by default, in the control layer's order. */
  readonly protocols?: readonly WebProtocol[] | undefined;
}

export const WEB_PROTOCOLS: readonly WebProtocol[] = ['wss', 'ws'];

export function sharedSettings(options: SharedClientOptions): SharedSettings {
  const { bootstrapUrl, app, deviceId, deviceSecret, credentials, assertion } = options;
  const { requestDeadlineMs, connectTimeoutMs, maxQueuedRequests, racing, adaptiveHeartbeat, measurements } = options;
  return {
    bootstrapUrl,
    app,
    deviceId,
    deviceSecret,
    requestDeadlineMs,
    connectTimeoutMs,
    maxQueuedRequests,
    racing,
    adaptiveHeartbeat,
    measurements,
    attributes: { platform: 'web', ...options.attributes },
    protocols: options.protocols ?? WEB_PROTOCOLS,
    asks: { credentials: credentials !== undefined, assertion: assertion !== undefined },
  };
}

/** Tabs that agree on it share a worker: same service, same app, same device. */
export function workerName({ bootstrapUrl = '', app = '', deviceId = '' }: SharedClientOptions): string {
  return `trunkline ${JSON.stringify([PORT_VERSION, bootstrapUrl, app, deviceId])}`;
}
