/**
 * Everything hostile at once beside well-behaved users, for as long as wanted, and a verdict:
 *
 *     node dist/scripts/soak.js --minutes 10
 *
 * The node is a process of its own and started as an operator starts it, except for Node's `--inspect`, by which its heaps
 * are collected and read. Everything is on loopback and ends with this process. Exit code 0 when the verdict is good.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startHostileBackEnd } from '../test/support/hostile-back-end.js';
import { InspectedNode } from '../test/support/inspected-node.js';
import type { Tally, ToAttackers } from './soak/attack-process.js';
import { printReport } from './soak/report.js';
import { Users } from './soak/users.js';
import { judge, type SoakFigures } from './soak/verdict.js';

const MINUTE_MS = 60_000;
const MAX_MINUTES = 24 * 60;
const WARM_UP_MS = 3_000;
/** Of the time: the quiet windows before and after. */
const QUIET_SHARE = 0.15;
const MIN_QUIET_MS = 4_000;
/** What was under way when the attackers stopped, such as links that are still in their handshake. */
const SETTLE_MS = 5_000;

const OPTIONS = {
  limits: { handshakeMs: 2_000, requestsPerSecond: 100 },
  overload: { loopDelayMs: 2_000 },
};
const BACK_END_DEADLINE_MS = 1_000;

function minutesOf(argv: readonly string[]): number {
  const { values } = parseArgs({ args: [...argv], options: { minutes: { type: 'string', default: '10' } } });
  const minutes = Number(values.minutes);
  if (minutes > 0 && minutes <= MAX_MINUTES) return minutes;
  throw new Error(`--minutes is a number above 0, at most ${MAX_MINUTES}`);
}

async function soak(minutes: number): Promise<SoakFigures> {
  const totalMs = minutes * MINUTE_MS;
  const quietMs = Math.max(totalMs * QUIET_SHARE, MIN_QUIET_MS);
  const hostileMs = Math.max(totalMs - 2 * quietMs, quietMs);
  const backEnd = await startHostileBackEnd();
  const liveUpstream = { url: backEnd.url, deadlineMs: BACK_END_DEADLINE_MS };
  const node = await InspectedNode.start({ ...OPTIONS, liveUpstream });
  try {
    const users = await Users.connect(node);
    await users.measure('while warming up', attackFor(node, WARM_UP_MS));
    await delay(SETTLE_MS);
    const heapStartBytes = await node.inspector.heapBytes();
    const before = await users.measure('before', delay(quietMs));
    const attack = attackFor(node, hostileMs);
    const during = await users.measure('during', attack);
    await delay(SETTLE_MS);
    const after = await users.measure('after', delay(quietMs));
    const heapEndBytes = await node.inspector.heapBytes();
    const { text } = await node.call('GET', '/metrics');
    return {
      before,
      during,
      after,
      heapStartBytes,
      heapEndBytes,
      tally: await attack,
      closes: closesIn(text),
      errors: node.stderr.split('\n').filter((line) => line.includes('"level":"error"')),
    };
  } finally {
    await node.stop();
    backEnd.stop();
  }
}

/** The attackers' process, from its start to its end. */
async function attackFor(node: InspectedNode, forMs: number): Promise<Tally> {
  const attackers = fork(new URL('./soak/attack-process.js', import.meta.url));
  const ended = once(attackers, 'exit').then(([code]) => Promise.reject(new Error(`attackers ended with ${code}`)));
  ended.catch(() => {});
  attackers.send({ start: node.addresses } satisfies ToAttackers);
  await Promise.race([delay(forMs), ended]);
  const told = once(attackers, 'message').then(([tally]) => tally as Tally);
  attackers.send('stop' satisfies ToAttackers);
  return Promise.race([told, ended]);
}

function closesIn(metrics: string): Record<string, number> {
  const samples = [...metrics.matchAll(/^trunkline_closes_total\{code="(\d+)"\} (\d+)/gm)];
  return Object.fromEntries(samples.map(([, code, count]) => [code, Number(count)]));
}

const figures = await soak(minutesOf(process.argv.slice(2)));
const faults = judge(figures);
printReport(figures, faults);
process.exitCode = faults.length === 0 ? 0 : 1;
