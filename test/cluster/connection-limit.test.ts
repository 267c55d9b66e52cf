import test from 'ava';
import { connectionLimit, openFileLimit } from '../../cluster/connection-limit.js';
import { type NodeConfig, parseConfig } from '../../config/index.js';
import { testConfig } from '../support/test-config.js';

const config = (connections: number, upstreamUrl?: string) =>
  parseConfig(
    JSON.stringify(
      testConfig('./data', { limits: { connections }, ...(upstreamUrl === undefined ? {} : { upstreamUrl }) }),
    ),
  );

test('connection limit: what is configured, as long as the files suffice', (t) => {
  t.is(connectionLimit(config(15_000), 20_000), 15_000);
  t.is(connectionLimit(config(200_000), Number.POSITIVE_INFINITY), 200_000);
});

test('connection limit: never above the open files, less those for itself and for its back-ends', (t) => {
  t.is(connectionLimit(config(200_000), 20_000), 20_000 - 256 - 128);
  t.is(connectionLimit(config(200_000, 'http://127.0.0.1:9'), 20_000), 20_000 - 256 - 128 - 64);
  const { businesses, ...rest } = config(200_000, 'http://127.0.0.1:9');
  const im = {
    ...businesses['im'],
    events: { connected: false, disconnected: true },
  } as NodeConfig['businesses'][string];
  t.is(connectionLimit({ ...rest, businesses: { im } }, 20_000), 20_000 - 256 - 128 - 64 - 32);
  t.is(connectionLimit(config(200_000), 100), 1, 'a node that can hold nobody says so to the second one');
});

test('connection limit: this process knows its own', (t) => {
  t.true(openFileLimit() > 100);
});
