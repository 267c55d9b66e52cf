/**
 * CPU per upstream request: `createBackEndClient` against a bare undici `pool.request` that reads the same answer
 * from the same back-end, which runs in a process of its own. The two alternate in one run, since this machine's
 * speed drifts more between runs than between rounds; the ratio of the medians is the figure.
 *
 * Usage: node dist/scripts/bench/upstream-client.js [requests a round] [rounds]
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Pool } from 'undici';
import { createBackEndClient, type UpstreamCall } from '../../upstream/index.js';

const CONCURRENCY = 64;
const PAYLOAD = Buffer.alloc(128, 'x');
const BACK_END = 'back-end';

if (process.argv[2] === BACK_END) serve();
else await measure(Number(process.argv[2] ?? 20_000), Number(process.argv[3] ?? 7));

function serve(): void {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.end(PAYLOAD));
  });
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
}

async function measure(requests: number, rounds: number): Promise<void> {
  const child = fork(fileURLToPath(import.meta.url), [BACK_END]);
  const url = `http://127.0.0.1:${await portOf(child)}/hook`;
  const bare = bareRequests(url);
  const ours = signedRequests(url);
  const figures = { bare: [] as number[], ours: [] as number[] };
  for (let round = -1; round < rounds; round++) {
    const bareUs = await cpuPerRequest(bare.request, requests);
    const oursUs = await cpuPerRequest(ours.request, requests);
    if (round < 0) continue; // warm-up
    figures.bare.push(bareUs);
    figures.ours.push(oursUs);
  }
  await Promise.all([bare.close(), ours.close()]);
  child.kill();
  const bareUs = median(figures.bare);
  const oursUs = median(figures.ours);
  console.log(
    `node ${process.version}, ${rounds} rounds of ${requests}, ${CONCURRENCY} in flight, 128 B each way, loopback`,
  );
  console.log(`bare undici pool.request  ${bareUs.toFixed(1)} us CPU per request`);
  console.log(`createBackEndClient       ${oursUs.toFixed(1)} us CPU per request`);
  console.log(`ratio                     ${(oursUs / bareUs).toFixed(2)}`);
}

async function portOf(child: ChildProcess): Promise<number> {
  const [port] = await once(child, 'message');
  return port as number;
}

interface Caller {
  request(): Promise<void>;
  close(): Promise<void>;
}

function bareRequests(url: string): Caller {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections: CONCURRENCY, pipelining: 1 });
  const headers = { 'content-type': 'application/octet-stream' };
  return {
    async request() {
      const { body } = await pool.request({ path: pathname, method: 'POST', headers, body: PAYLOAD });
      await body.bytes();
    },
    close: () => pool.destroy(),
  };
}

function signedRequests(url: string): Caller {
  const client = createBackEndClient({
    business: 'im',
    url,
    signingSecret: 'a secret for the benchmark',
    concurrency: CONCURRENCY,
    maxQueue: CONCURRENCY,
    deadlineMs: 10_000,
    maxResponseBytes: 512 * 1024,
    breaker: { failures: 10, openMs: 5_000 },
  });
  let serial = 0;
  return {
    async request() {
      serial += 1;
      const call: UpstreamCall = {
        device: { app: 'demo', deviceId: `device-${serial % 1000}` },
        uid: `user-${serial % 1000}`,
        connectionId: 'n1.w2.4711',
        method: 'chat.send',
        metadata: {},
        payload: PAYLOAD,
        deadlineMs: 0,
        signal: new AbortController().signal,
      };
      const { status } = await client.request(call);
      if (status !== 0) throw new Error(`status ${status}`);
    },
    close: () => client.close(),
  };
}

/** @returns microseconds of this process's CPU, user and system */
async function cpuPerRequest(request: () => Promise<void>, requests: number): Promise<number> {
  const before = process.cpuUsage();
  let left = requests;
  const lane = async () => {
    while (left-- > 0) await request();
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, lane));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / requests;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number;
}
