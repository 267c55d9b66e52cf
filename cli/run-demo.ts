/**
 * Puts the demo together: page, two back-ends as processes, the node, two devices. Whatever started is on a stack
 * and ends in the opposite order, also when a later part failed to start.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'winston';
import type { NodeHandle } from '../cluster/index.js';
import {
  BackEndProcess,
  type CurlCommand,
  checkPortsFree,
  createDemoConfig,
  createDemoKeys,
  curlCommands,
  DEMO_APP,
  DEMO_ROOM,
  DemoDevice,
  type DemoKeys,
  PageServer,
  portsFrom,
} from '../demo/index.js';
import { startComposedNode } from './compose.js';

const DEVICE_IDS = ['demo-device-1', 'demo-device-2'] as const;

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
  readonly ws: string;
  readonly control: string;
  readonly bridge: string;
}

export interface Demo {
  readonly addresses: DemoAddresses;
  readonly devices: readonly string[];
  readonly curl: readonly CurlCommand[];
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
  const ports = portsFrom(portBase);
  await checkPortsFree(ports);
  const page = await PageServer.open(ports.page);
  cleanups.push(() => page.close());
  const dataDir = createDataDir();
  cleanups.push(() => removeDir(dataDir));
  const backEnds = startBackEnds(keys);
  cleanups.push(async () => void (await Promise.all(backEnds.map((backEnd) => backEnd.stop()))));
  const [im = '', live = ''] = await Promise.all(backEnds.map((backEnd) => backEnd.listening()));

  const config = createDemoConfig({
    ports,
    keys,
    dataDir,
    logLevel,
    upstreams: { im, live },
    origins: page.origins,
  });
  const node = await startComposedNode(config, log);
  cleanups.push(() => node.stop());
  const addresses = addressesOf(node, page);
  await Promise.all(backEnds.map((backEnd) => backEnd.connect(addresses.bridge)));

  const devices = DEVICE_IDS.map(
    (deviceId) =>
      new DemoDevice({
        deviceId,
        bridgeUrl: addresses.bridge,
        tcp: addresses.tcp,
        appKey: keys.app,
        onPush: (text) => onPush(deviceId, text),
      }),
  );
  cleanups.push(async () => void (await Promise.all(devices.map((device) => device.close()))));
  // One after the other: the roster keeps the order of the hellos.
  for (const device of devices) await device.start();
  page.publish({
    app: DEMO_APP,
    controlUrl: addresses.control,
    webSocketUrl: `ws://${new URL(addresses.ws).host}`,
    room: DEMO_ROOM,
  });
  return {
    addresses,
    devices: DEVICE_IDS,
    curl: curlCommands({ bridgeUrl: addresses.bridge, keys, devices: DEVICE_IDS }),
    failed: Promise.race(backEnds.map((backEnd) => backEnd.failed)),
    stop,
  };
}

function startBackEnds(keys: DemoKeys): BackEndProcess[] {
  return [
    new BackEndProcess({ name: 'im', env: { TRUNKLINE_KEY: keys.im, TRUNKLINE_SIGNING_SECRET: keys.imSigning } }),
    new BackEndProcess({ name: 'live', env: { TRUNKLINE_KEY: keys.live, TRUNKLINE_SIGNING_SECRET: keys.liveSigning } }),
  ];
}

function addressesOf(node: NodeHandle, page: PageServer): DemoAddresses {
  const { tcp = '', ws = '', services } = node.addresses;
  return {
    page: page.url,
    tcp,
    ws: `ws://${ws}/connect`,
    control: `http://${services['ControlActor']}`,
    bridge: `http://${services['BridgeActor']}`,
  };
}

/** Keys of one run. Removed at the latest when the process exits, also when that is forced. */
function createDataDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'trunkline-demo-'));
  process.once('exit', () => removeDir(dir));
  return dir;
}

function removeDir(dir: string): void {
  rmSync(dir, { recursive: true, force: true });
}
