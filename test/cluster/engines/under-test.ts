/** What the suites of groups, bus and membership need of an engine. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import type { Engine, NodeRecord } from '../../../cluster/engines/contract/index.js';
import { createRedisEngine } from '../../../cluster/engines/redis/index.js';
import type { RedisConfig } from '../../../config/index.js';
import { redisConfig } from '../../support/redis-config.js';

export interface EnginesUnderTest {
  /** @returns that many nodes' engines that meet in one empty store, closed with the test */
  readonly createEngines: (t: ExecutionContext, count: number) => Promise<Engine[]>;
  /** Whether there can be more than one. */
  readonly spansNodes: boolean;
  /** Lets the leases' clock go on. */
  readonly elapse: (ms: number) => Promise<void>;
}

export async function createOne({ createEngines }: EnginesUnderTest, t: ExecutionContext): Promise<Engine> {
  const [engine] = await createEngines(t, 1);
  return engine as Engine;
}

export async function createTwo({ createEngines }: EnginesUnderTest, t: ExecutionContext): Promise<[Engine, Engine]> {
  const engines = await createEngines(t, 2);
  return engines as [Engine, Engine];
}

/** Nodes on one Redis; each test has a prefix of its own there. */
export function enginesOnRedis(mode: RedisConfig['mode'], addresses: () => string[]): EnginesUnderTest {
  return {
    spansNodes: true,
    elapse: (ms) => sleep(ms),
    createEngines: (t, count) => createRedisEngines(t, count, redisConfig(mode, addresses())),
  };
}

export function createRedisEngines(t: ExecutionContext, count: number, config: RedisConfig): Promise<Engine[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const engine = await createRedisEngine(config);
      t.teardown(() => engine.close());
      return engine;
    }),
  );
}

export function nodeRecord(incarnation: string, fields: Partial<NodeRecord> = {}): NodeRecord {
  return {
    name: `node-${incarnation.slice(-2)}`,
    incarnation,
    version: '1.2.3',
    roles: ['access', 'bridge'],
    region: 'здесь',
    startedAtMs: 1_750_000_000_123,
    draining: false,
    accessPoints: { tcp: 'a.example:7100', wss: '[::1]:7111' },
    workers: [3, -1],
    connections: 12,
    connectionLimit: 100,
    load: 0.25,
    ...fields,
  };
}

export const NODE = '00000000000000aa';
export const OTHER_NODE = '00000000000000bb';
export const NOBODY = '00000000000000cc';

/** Names that a store might trip over. */
export const ODD_NAMES = ['ж', '🦆', '/', ' room', 'room ', '{x}', '}', 'a}b', '{', '-', '+', '(a', '[a', ':n', 'x\ty'];

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
