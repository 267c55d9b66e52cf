/**
 * What a request costs without anything in between: this process calls the back-end with `undici` alone, keeps
 * so many requests under way, and reports requests and its own CPU over one window.
 */
import { parseArgs } from 'node:util';
import { Pool } from 'undici';
import { sleep } from '../load/clock.js';

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: '' },
    connections: { type: 'string', default: '64' },
    'in-flight': { type: 'string', default: '64' },
    bytes: { type: 'string', default: '128' },
    'warm-ms': { type: 'string', default: '1000' },
    'window-ms': { type: 'string', default: '5000' },
  },
});

const pool = new Pool(new URL(values.url).origin, { connections: Number(values.connections), pipelining: 1 });
const body = Buffer.alloc(Number(values.bytes), 0x61);
const headers = { 'content-type': 'application/octet-stream' };
let requests = 0;
let running = true;

async function callOverAndOver(): Promise<void> {
  while (running) {
    const answer = await pool.request({ method: 'POST', path: new URL(values.url).pathname, headers, body });
    await answer.body.arrayBuffer();
    if (answer.statusCode !== 200) throw new Error(`the back-end answered ${answer.statusCode}`);
    requests++;
  }
}

const callers = Array.from({ length: Number(values['in-flight']) }, callOverAndOver);
await sleep(Number(values['warm-ms']));
const before = { requests, cpu: process.cpuUsage(), ms: performance.now() };
await sleep(Number(values['window-ms']));
const cpu = process.cpuUsage(before.cpu);
const result = {
  requests: requests - before.requests,
  cpuUs: cpu.user + cpu.system,
  seconds: (performance.now() - before.ms) / 1e3,
};
running = false;
await Promise.all(callers);
await pool.close();
process.stdout.write(`${JSON.stringify(result)}\n`);
