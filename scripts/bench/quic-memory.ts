/**
 * What makes a QUIC connection grow: private memory for each of some connections to a plain server on quiche's native API, with
 * one habit at a time, and to this project's listener. Idle, after short echoes, and after echoes of 64 KiB.
 *
 * @see docs/decisions/0095-what-made-quic-grow.md
 */
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sleep } from './load/clock.js';
import { LinkFleet } from './load/link-fleet.js';
import { BenchProcess, removeAtExit } from './measure/child-process.js';
import { privateBytes, waitUntilIdle } from './measure/process-sample.js';
import type { Figure } from './measure/report.js';
import { runAsMain, type Scenario } from './measure/scenario.js';
import { createCertificateChain } from './node/certificate.js';

const PLAIN = `${import.meta.dirname}/node/plain-quic.js`;
const LISTENER = `${import.meta.dirname}/node/echo-listeners.js`;
const WARM_LINKS = 50;
const IN_FLIGHT = 16;
const SHORT = new Uint8Array(100);
const LONG = new Uint8Array(64 * 1024);
const KIB = 1024;
/** Longer than a connection takes to be forgotten. */
const REST_MS = 1_500;

/** Names of the figures, and the arguments of the plain server. */
const HABITS: Readonly<Record<string, string>> = {
  'no habit': '',
  'wide windows': 'windows',
  'a long buffer a packet': 'packets',
  'two long buffers each': 'buffers',
  'a Config each': 'configs',
  'a Config with authorities each': 'authorities',
  'datagrams kept': 'datagrams',
  'a timer each': 'timers',
  'all but kept datagrams and authorities': 'windows,packets,buffers,configs,timers',
};

interface Grown {
  readonly idle: number;
  readonly short: number;
  readonly long: number;
}

export const scenario: Scenario = {
  defaults: { seconds: 2, connections: 100 },
  run: async ({ connections, windowMs }) => {
    const dir = mkdtempSync(join(tmpdir(), 'trunkline-bench-'));
    removeAtExit(dir);
    createCertificateChain(dir);
    const figures: Figure[] = [];
    const add = (name: string, grown: Grown): void => {
      const figure = (when: string, bytes: number): Figure => ({
        name: `${name}, ${when}`,
        value: bytes / KIB,
        unit: 'KiB',
      });
      figures.push(figure('idle', grown.idle), figure('short echoes', grown.short), figure('long echoes', grown.long));
    };
    for (const [name, habits] of Object.entries(HABITS)) {
      add(name, await measure(PLAIN, [dir, habits], dir, connections, windowMs));
    }
    add('this listener', await measure(LISTENER, ['127.0.0.1', dir], dir, connections, windowMs));
    return {
      title: 'What makes a QUIC connection grow',
      conditions: {
        connections: `${connections}, after ${WARM_LINKS} that came and stayed`,
        'short echoes': `${SHORT.length} bytes, ${windowMs / 1e3} s`,
        'long echoes': `${LONG.length} bytes, ${windowMs / 1e3} s`,
      },
      figures,
      notes: [
        'Private memory, what the allocator keeps for the process included; V8 grows and shrinks by some 8 MiB beside it.',
      ],
    };
  },
};

/** @returns bytes a connection */
async function measure(
  script: string,
  args: readonly string[],
  dir: string,
  size: number,
  windowMs: number,
): Promise<Grown> {
  const server = new BenchProcess(script, args, { side: 'server' });
  const { quic: port } = await server.message<{ quic: number }>('quic');
  const ca = readFileSync(join(dir, 'ca.crt'), 'utf8');
  const to = { protocol: 'quic', port, ca, inFlight: IN_FLIGHT, hello: () => SHORT } as const;
  const warm = await LinkFleet.open({ ...to, size: WARM_LINKS });
  await waitUntilIdle(server.pid);
  const before = privateBytes(server.pid);
  const grown = async (): Promise<number> => {
    await sleep(REST_MS);
    await waitUntilIdle(server.pid);
    return (privateBytes(server.pid) - before) / size;
  };
  const fleet = await LinkFleet.open({ ...to, size });
  const idle = await grown();
  await fleet.echo(SHORT, SHORT.length, windowMs);
  const short = await grown();
  await fleet.echo(LONG, LONG.length, windowMs);
  const long = await grown();
  await Promise.all([warm.close(), fleet.close()]);
  await server.stop();
  return { idle, short, long };
}

await runAsMain(import.meta, scenario);
