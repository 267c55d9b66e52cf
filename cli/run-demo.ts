/**
 * Puts the demo together: page, certificate, two back-ends as processes, the node, two devices. Whatever started is on a
 * stack and ends in the opposite order, also when a later part failed to start.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'winston';
import type { NodeHandle } from '../cluster/index.js';
import {
  assertDevice,
  BackEndProcess,
  type CurlCommand,
  checkPortsFree,
  connectCommand,
  createCertificate,
  createDemoConfig,
  createDemoKeys,
  curlCommands,
  DEMO_APP,
  DEMO_ROOM,
  DemoDevice,
  type DemoKeys,
  PageServer,
  PROTOCOLS,
  portsFrom,
} from '../demo/index.js';
import { loadQuiche } from '../transports/index.js';
import { startComposedNode } from './compose.js';

/** Two ways to connect at the start, so that the page has something to tell of. */
const DEVICES = [
  { deviceId: 'demo-device-1', choice: 'race' },
  { deviceId: 'demo-device-2', choice: 'tcp' },
] as const;
const DEVICE_IDS = DEVICES.map(({ deviceId }) => deviceId);

export interface DemoOptions {
  /** 0 lets the kernel choose every port. */
  readonly portBase: number;
  readonly logLevel: 'error' | 'warn' | 'info' | 'debug';
  readonly log: Logger;
  /** A push reached one of the demo's own devices; for the terminal. */
  readonly onPush: (deviceId: string, text: string) => void;
}

export interface DemoAddresses {
  readonly page: string;
  readonly tcp: string;
  readonly tls: string;
  /** UDP; undefined where QUIC cannot be loaded. */
  readonly quic: string | undefined;
  readonly ws: string;
  readonly wss: string;
  readonly control: string;
  readonly bridge: string;
}

export interface Demo {
  readonly addresses: DemoAddresses;
  readonly devices: readonly string[];
  readonly curl: readonly CurlCommand[];
  /** Makes a terminal a device. */
  readonly connect: string;
  /** Rejects when a part ends by itself; never resolves. */
  readonly failed: Promise<never>;
  /** Ends every part. Does not throw: a part that fails to end does not keep the others. */
  stop(): Promise<void>;
}

/** @throws {PortTakenError | BackEndFailedError} and whatever keeps a node from starting; nothing is left running */
export async function startDemo(options: DemoOptions): Promise<Demo> {
  const cleanups: (() => Promise<void> | void)[] = [];
  const stop = async (): Promise<void> => {
    for (let cleanup = cleanups.pop(); cleanup !== undefined; cleanup = cleanups.pop()) {
      try {
        await cleanup();
      } catch (error) {
        options.log.error('demo part did not stop', { error: (error as Error).message });
      }
    }
  };
  try {
    return await build(options, cleanups, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function build(
  { portBase, logLevel, log, onPush }: DemoOptions,
  cleanups: (() => Promise<void> | void)[],
  stop: () => Promise<void>,
): Promise<Demo> {
  const keys = createDemoKeys();
  const hasQuic = await canLoadQuic();
  const ports = portsFrom(portBase);
  const { quic: _, ...otherPorts } = ports;
  await checkPortsFree(hasQuic ? ports : otherPorts);
  const page = await PageServer.open(ports.page);
  cleanups.push(() => page.close());
  const dataDir = createDataDir();
  cleanups.push(() => removeDir(dataDir));
  const backEnds = startBackEnds(keys);
  cleanups.push(async () => void (await Promise.all(backEnds.map((backEnd) => backEnd.stop()))));
  const [certificate, [im = '', live = '']] = await Promise.all([
    createCertificate(dataDir),
    Promise.all(backEnds.map((backEnd) => backEnd.listening())),
  ]);

  const config = createDemoConfig({
    ports,
    keys,
    certificate,
    hasQuic,
    dataDir,
    logLevel,
    upstreams: { im, live },
    origins: page.origins,
  });
  const node = await startComposedNode(config, log);
  cleanups.push(() => node.stop());
  const addresses = addressesOf(node, page);
  await Promise.all(backEnds.map((backEnd) => backEnd.connect(addresses.bridge)));

  const protocols = PROTOCOLS.filter((protocol) => addresses[protocol] !== undefined);
  const devices = DEVICES.map(
    ({ deviceId, choice }) =>
      new DemoDevice({
        deviceId,
        controlUrl: addresses.control,
        assertion: () => assertDevice(deviceId, keys.assertion),
        ca: certificate.ca,
        protocols,
        choice,
        onPush: (text) => onPush(deviceId, text),
      }),
  );
  cleanups.push(() => {
    for (const device of devices) device.close();
  });
  // One after the other: the roster keeps the order of the hellos.
  for (const device of devices) await device.start();
  page.publish({
    app: DEMO_APP,
    controlUrl: addresses.control,
    webSocketUrl: new URL(addresses.ws).origin,
    secureWebSocketUrl: new URL(addresses.wss).origin,
    room: DEMO_ROOM,
    devices: DEVICE_IDS,
    protocols,
  });
  const [example = 'tcp'] = protocols;
  return {
    addresses,
    devices: DEVICE_IDS,
    curl: curlCommands({ bridgeUrl: addresses.bridge, keys, devices: DEVICE_IDS }),
    connect: connectCommand({ controlUrl: addresses.control, certFile: certificate.certFile, protocol: example }),
    failed: Promise.race(backEnds.map((backEnd) => backEnd.failed)),
    stop,
  };
}

/** Its package is optional, and its binary may not fit the machine: the demo then does without. */
async function canLoadQuic(): Promise<boolean> {
  return loadQuiche().then(
    () => true,
    () => false,
  );
}

function startBackEnds(keys: DemoKeys): BackEndProcess[] {
  return [
    new BackEndProcess({ name: 'im', env: { TRUNKLINE_KEY: keys.im, TRUNKLINE_SIGNING_SECRET: keys.imSigning } }),
    new BackEndProcess({ name: 'live', env: { TRUNKLINE_KEY: keys.live, TRUNKLINE_SIGNING_SECRET: keys.liveSigning } }),
  ];
}

function addressesOf(node: NodeHandle, page: PageServer): DemoAddresses {
  const { tcp = '', tls = '', quic, ws, wss, services } = node.addresses;
  return {
    page: page.url,
    tcp,
    tls,
    quic,
    ws: `ws://${ws}/connect`,
    wss: `wss://${wss}/connect`,
    control: `http://${services['ControlActor']}`,
    bridge: `http://${services['BridgeActor']}`,
  };
}

/** Keys and certificate of one run. Removed at the latest when the process exits, also when that is forced. */
function createDataDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'trunkline-demo-'));
  process.once('exit', () => removeDir(dir));
  return dir;
}

function removeDir(dir: string): void {
  rmSync(dir, { recursive: true, force: true });
}
