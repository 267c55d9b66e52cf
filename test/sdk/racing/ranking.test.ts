import test from 'ava';
import type { Target } from '../../../sdk/bootstrap.js';
import { webMemory } from '../../../sdk/index.js';
import { NetworkMemory } from '../../../sdk/racing/network-memory.js';
import type { Candidate, RaceResult } from '../../../sdk/racing/race.js';
import { Ranking } from '../../../sdk/racing/ranking.js';

const QUIC: Target = { protocol: 'quic', accessPoint: 'a:1' };
const TLS_A: Target = { protocol: 'tls', accessPoint: 'a:2' };
const TLS_B: Target = { protocol: 'tls', accessPoint: 'b:2' };
const WSS: Target = { protocol: 'wss', accessPoint: 'wss://a:3/connect' };
const ORDER = [QUIC, TLS_A, TLS_B, WSS];
const MINUTE_MS = 60_000;

const startOf = (candidates: readonly Candidate[]) => candidates.map(({ target }) => target.accessPoint).join(' ');

/** As a race of `candidates` would end that `target` won. */
function win(candidates: readonly Candidate[], target: Target, losers = 0): RaceResult {
  const winner = candidates.find((candidate) => candidate.target === target) as Candidate;
  return { winner, losers } as RaceResult;
}

test('ranking: without a past it is the control layer’s order', (t) => {
  const ranking = new Ranking(new NetworkMemory(webMemory()));
  t.deepEqual(
    ranking.rank(ORDER, 'wifi', 0),
    ORDER.map((target) => ({ target, isBanned: false })),
  );
});

test('ranking: who failed comes last, for a time that doubles and is bounded, and is forgotten with a success', (t) => {
  const ranking = new Ranking(undefined);
  const bannedForMs = (nowMs: number): number => {
    let ms = 0;
    while (ranking.rank(ORDER, 'wifi', nowMs + ms)[0]?.target !== QUIC) ms += 1_000;
    return ms;
  };
  ranking.rank(ORDER, 'wifi', 0);
  const bans: number[] = [];
  for (let i = 0; i < 8; i++) {
    ranking.failed(QUIC, 0);
    bans.push(bannedForMs(0) / 1_000);
  }
  t.deepEqual(bans, [15, 30, 60, 120, 240, 480, 600, 600]);
  const candidates = ranking.rank(ORDER, 'wifi', 0);
  t.is(startOf(candidates), 'a:2 b:2 wss://a:3/connect a:1');
  t.deepEqual(
    candidates.map(({ isBanned }) => isBanned),
    [false, false, false, true],
  );
  t.is(ranking.won(win(candidates, QUIC, 3), 0), 'fallback');
  ranking.failed(QUIC, 0);
  t.is(bannedForMs(0), 15_000, 'the first again');
});

test('ranking: another network, or a hint of one, lifts the bans', (t) => {
  const ranking = new Ranking(undefined);
  ranking.rank(ORDER, 'wifi', 0);
  ranking.failed(QUIC, 0);
  t.is(ranking.rank(ORDER, 'wifi', 1)[0]?.target, TLS_A);
  t.is(ranking.rank(ORDER, 'cellular', 1)[0]?.target, QUIC);
  ranking.failed(QUIC, 1);
  ranking.forgive();
  t.is(ranking.rank(ORDER, 'cellular', 1)[0]?.target, QUIC);
});

test('ranking: says why each won', (t) => {
  const memory = new NetworkMemory(webMemory());
  const ranking = new Ranking(memory);
  const why = (target: Target, losers: number, nowMs: number, order: readonly Target[] = ORDER) =>
    ranking.won(win(ranking.rank(order, 'wifi', nowMs), target, losers), nowMs);
  t.is(why(WSS, 0, 0, [WSS]), 'only');
  t.is(why(QUIC, 0, 0), 'first');
  t.is(why(TLS_A, 0, 0), 'raced');
  t.is(why(TLS_A, 0, 1), 'remembered');
  t.is(why(QUIC, 0, 2), 'raced', 'the choice overtook what was remembered, which is forgotten');
  t.is(why(QUIC, 0, 3), 'first');
  ranking.rank(ORDER, 'wifi', 4);
  ranking.failed(QUIC, 4);
  t.is(why(TLS_A, 0, 5), 'fallback', 'nobody failed in this race, but the choice was banned');
});

test('ranking: the protocol that won goes first, its access point foremost, wherever the control layer points', (t) => {
  const ranking = new Ranking(new NetworkMemory(webMemory()));
  ranking.won(win(ranking.rank(ORDER, 'wifi', 0), TLS_B, 2), 0);
  t.is(startOf(ranking.rank(ORDER, 'wifi', 1)), 'b:2 a:2 a:1 wss://a:3/connect');
  const other: Target = { protocol: 'tls', accessPoint: 'c:2' };
  t.is(startOf(ranking.rank([QUIC, WSS, other], 'wifi', 1)), 'c:2 a:1 wss://a:3/connect');
});

test('ranking: another first choice of the control layer gets its chance', (t) => {
  const ranking = new Ranking(new NetworkMemory(webMemory()));
  ranking.won(win(ranking.rank(ORDER, 'wifi', 0), WSS, 2), 0);
  t.is(ranking.rank(ORDER, 'wifi', 1)[0]?.target, WSS);
  t.is(ranking.rank([TLS_A, QUIC, WSS], 'wifi', 1)[0]?.target, TLS_A);
});

test('ranking: a return to the better protocol is tried after ten minutes, then seldom, at most once a day', (t) => {
  const ranking = new Ranking(new NetworkMemory(webMemory()));
  let nowMs = 0;
  const waits: number[] = [];
  for (let i = 0; i < 10; i++) {
    const lostMs = nowMs;
    // UDP is blocked: each time the choice fails.
    const candidates = ranking.rank(ORDER, 'wifi', nowMs);
    ranking.failed(QUIC, nowMs);
    ranking.won(win(candidates, TLS_A, 1), nowMs);
    ranking.forgive();
    while (ranking.rank(ORDER, 'wifi', nowMs)[0]?.target !== QUIC) nowMs += MINUTE_MS;
    waits.push((nowMs - lostMs) / MINUTE_MS);
  }
  t.deepEqual(waits, [10, 20, 40, 80, 160, 320, 640, 1_280, 1_440, 1_440]);
  t.is(ranking.won(win(ranking.rank(ORDER, 'wifi', nowMs), QUIC), nowMs), 'first', 'the block is gone');
  ranking.won(win(ranking.rank(ORDER, 'wifi', nowMs), TLS_A, 1), nowMs);
  t.is(ranking.rank(ORDER, 'wifi', nowMs + 10 * MINUTE_MS)[0]?.target, QUIC, 'and the times start over');
});

test('network memory: sixteen networks, the one used the longest time ago goes first', (t) => {
  const storage = webMemory();
  const memory = new NetworkMemory(storage);
  for (let i = 0; i < 16; i++) memory.set(`n${i}`, TLS_A, 'quic', i);
  memory.set('n0', TLS_A, 'quic', 16);
  memory.set('n16', TLS_A, 'quic', 17);
  t.is(memory.get('n1'), undefined);
  t.deepEqual(memory.get('n0'), { ...TLS_A, over: 'quic', forMs: 1_200_000, untilMs: 1_200_016 });
  t.like(new NetworkMemory(storage).get('n16'), { protocol: 'tls', forMs: 600_000 });
});

for (const [what, text] of Object.entries({
  'no JSON': '{',
  'no list': '5',
  'no pairs': '[1,2]',
  nothing: '[["wifi",null]]',
  'something else': '[["wifi",{"protocol":7,"forMs":"x","untilMs":1e99,"over":"quic"}]]',
})) {
  test(`network memory: a storage that holds ${what} does no harm`, (t) => {
    const storage = webMemory();
    storage.setItem('trunkline.networks', text);
    const ranking = new Ranking(new NetworkMemory(storage));
    const candidates = ranking.rank(ORDER, 'wifi', 0);
    t.is(candidates[0]?.target, QUIC);
    ranking.won(win(candidates, TLS_A, 1), 0);
    t.is(ranking.rank(ORDER, 'wifi', 1)[0]?.target, TLS_A);
  });
}

test('network memory: a storage that cannot be written to does no harm', (t) => {
  const full = {
    ...webMemory(),
    setItem: () => {
      throw new Error('quota exceeded');
    },
  };
  const ranking = new Ranking(new NetworkMemory(full));
  t.is(ranking.won(win(ranking.rank(ORDER, 'wifi', 0), TLS_A, 1), 0), 'fallback');
});
