import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { EngineUnavailableError } from '../../../actors/index.js';
import { UnsuitableRedisError } from '../../../cluster/engines/redis/errors.js';
import { RedisConnection } from '../../../cluster/engines/redis/redis-connection.js';
import { defineScript } from '../../../cluster/engines/redis/script.js';
import type { RedisConfig } from '../../../config/index.js';
import { freePort } from '../../support/listening.js';
import { redisConfig } from '../../support/redis-config.js';
import { RedisServer, type RedisServerOptions } from '../../support/redis-server.js';
import { until } from '../../support/until.js';

const PASSWORD = 'a password that nobody may read';

const echo = defineScript('test.echo', 'return {KEYS[1], ARGV[1]}');
const slow = defineScript('test.slow', 'redis.call("INCR", KEYS[1]) return 1');

async function startServer(t: ExecutionContext, options?: RedisServerOptions): Promise<RedisServer> {
  const server = await RedisServer.start(options);
  t.teardown(() => server.stop());
  return server;
}

async function open(t: ExecutionContext, server: RedisServer, over?: Partial<RedisConfig>): Promise<RedisConnection> {
  const connection = await RedisConnection.open(redisConfig('standalone', [server.address], over));
  t.teardown(() => connection.close());
  return connection;
}

function unavailable(t: ExecutionContext, error: unknown, mayHaveArrived: boolean): void {
  t.true(error instanceof EngineUnavailableError, inspect(error));
  t.is((error as EngineUnavailableError).mayHaveArrived, mayHaveArrived, inspect(error));
}

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('nothing failed');
}

/** What is handed to a connection that breaks is lost, so one message does not prove it. */
async function heard(connection: RedisConnection, channel: string, messages: readonly string[]): Promise<void> {
  while (messages.length === 0) {
    await connection.call('spublish', channel, 'x').catch(() => 0);
    await sleep(20);
  }
}

test('redis connection: a server that is not there is said so, after the time that is given', async (t) => {
  const config = redisConfig('standalone', [`127.0.0.1:${await freePort()}`], { connectTimeoutMs: 3_000 });
  const error = await failureOf(RedisConnection.open(config));
  unavailable(t, error, false);
  t.regex(String((error as Error).cause), /ECONNREFUSED/);
});

test('redis connection: neither a refused password nor one that is in use is in an error', async (t) => {
  const server = await startServer(t, { args: ['--requirepass', PASSWORD] });
  const wrong = `not ${PASSWORD}`;
  const config = redisConfig('standalone', [server.address], { connectTimeoutMs: 300, password: wrong });
  const refused = await failureOf(RedisConnection.open(config));
  unavailable(t, refused, false);
  t.regex(String((refused as Error).cause), /WRONGPASS/);
  t.false(inspect(refused, { depth: 10, showHidden: true }).includes(PASSWORD));
  const connection = await open(t, server, { password: PASSWORD });
  await connection.call('set', 'k', 'v');
  const error = await failureOf(connection.call('hset', 'k', PASSWORD, PASSWORD));
  t.regex(String((error as Error).cause), /WRONGTYPE/);
  t.false(inspect(error, { depth: 10, showHidden: true }).includes(PASSWORD));
});

test('redis connection: a server of before 7.0 is refused', async (t) => {
  const old = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      for (const [, name] of bytes.toString('latin1').matchAll(/\*\d+\r\n\$\d+\r\n([a-zA-Z]+)/g)) {
        const info = 'redis_version:6.2.14\r\nloading:0\r\nrole:master\r\n';
        if (name?.toLowerCase() === 'info') socket.write(`$${info.length}\r\n${info}\r\n`);
        else socket.write(name?.toLowerCase() === 'hello' ? '-NOPROTO unsupported protocol version\r\n' : '+OK\r\n');
      }
    });
  });
  await once(old.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => old.close());
  const address = `127.0.0.1:${(old.address() as AddressInfo).port}`;
  const error = await failureOf(RedisConnection.open(redisConfig('standalone', [address])));
  t.true(error instanceof UnsuitableRedisError, inspect(error));
  t.regex((error as Error).message, /6\.2\.14.*7\.0/);
});

test('redis connection: a server of a Cluster is not taken for one that stands alone', async (t) => {
  const server = await startServer(t, {
    args: ['--cluster-enabled', 'yes', '--cluster-port', String(await freePort())],
  });
  const error = await failureOf(RedisConnection.open(redisConfig('standalone', [server.address])));
  t.true(error instanceof UnsuitableRedisError, inspect(error));
});

test('redis connection: scripts and commands answer with bytes, also when the server has forgotten the script', async (t) => {
  const server = await startServer(t);
  const connection = await open(t, server);
  const bytes = Buffer.from([0, 255, 128, 13, 10]);
  t.deepEqual(await connection.run(echo, ['key'], [bytes]), [Buffer.from('key'), bytes]);
  await server.ask((redis) => redis.script('FLUSH'));
  t.deepEqual(await connection.run(echo, ['key'], ['ж']), [Buffer.from('key'), Buffer.from('ж')]);
  await connection.call('set', 'k', bytes);
  t.deepEqual(await connection.call('get', 'k'), bytes);
});

test('redis connection: what one turn says leaves in one write', async (t) => {
  const connection = await open(t, await startServer(t));
  const { stream } = connection.commands as unknown as { stream: { _writev: unknown; _write: unknown } };
  let writes = 0;
  for (const name of ['_write', '_writev'] as const) {
    const write = stream[name] as (...args: unknown[]) => void;
    stream[name] = function (this: unknown, ...args: unknown[]) {
      writes += 1;
      write.apply(this, args);
    };
  }
  const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => connection.run(echo, ['k'], [i])));
  t.deepEqual(answers.at(-1), [Buffer.from('k'), Buffer.from('49')]);
  t.is(writes, 1);
});

test('redis connection: a crash tells what may have been done from what was not, and ends by itself', async (t) => {
  const server = await startServer(t);
  const connection = await open(t, server);
  const events: string[] = [];
  connection.onLost(() => events.push('lost'));
  connection.onReady(() => events.push('ready'));
  const messages: string[] = [];
  connection.onMessage = (channel, message) => messages.push(`${channel} ${message}`);
  await connection.subscribe('{a}');
  server.pause();
  const underWay = failureOf(connection.run(slow, ['n'], []));
  // It is written, and nobody reads it.
  await sleep(20);
  await server.kill();
  unavailable(t, await underWay, true);
  unavailable(t, await failureOf(connection.run(slow, ['n'], [])), false);
  unavailable(t, await failureOf(connection.call('get', 'n')), false);
  t.deepEqual(events, ['lost']);
  await server.startAgain();
  await until(() => events.length > 1);
  t.deepEqual(events.slice(0, 2), ['lost', 'ready']);
  t.is(await connection.run(slow, ['n'], []), 1);
  t.deepEqual(await connection.call('get', 'n'), Buffer.from('1'), 'nothing is sent a second time');
  await heard(connection, '{a}', messages);
  t.is(messages[0], '{a} x');
});

test('redis connection: a server that hangs may have done what it was asked', async (t) => {
  const server = await startServer(t);
  const connection = await open(t, server, { commandTimeoutMs: 200 });
  server.pause();
  unavailable(t, await failureOf(connection.run(slow, ['n'], [])), true);
  server.resume();
  for (;;) {
    try {
      await connection.run(echo, ['k'], []);
      break;
    } catch (error) {
      t.true(error instanceof EngineUnavailableError);
      await sleep(20);
    }
  }
  t.pass();
});

test('redis connection: a channel is heard while it is subscribed to', async (t) => {
  const server = await startServer(t);
  const connection = await open(t, server);
  const messages: string[] = [];
  connection.onMessage = (channel, message) => messages.push(`${channel} ${message}`);
  await Promise.all([connection.subscribe('{a}'), connection.subscribe('{a}'), connection.subscribe('{ж}')]);
  await connection.subscribe('{a}');
  t.is(await connection.call('spublish', '{a}', '1'), 1, 'twice is once');
  t.is(await connection.call('spublish', '{ж}', '2'), 1);
  await until(() => messages.length === 2);
  t.deepEqual(messages.sort(), ['{a} 1', '{ж} 2']);
  await connection.unsubscribe('{a}');
  await connection.unsubscribe('{a}');
  t.is(await connection.call('spublish', '{a}', '3'), 0);
  await connection.subscribe('{a}');
  t.is(await connection.call('spublish', '{a}', '4'), 1);
  await until(() => messages.length === 3);
});

test('redis connection: a subscriber notices a server that hangs, and subscribes anew when it is back', async (t) => {
  const server = await startServer(t);
  const connection = await open(t, server, { commandTimeoutMs: 200 });
  const messages: string[] = [];
  connection.onMessage = (_, message) => messages.push(String(message));
  await connection.subscribe('{a}');
  server.pause();
  unavailable(t, await failureOf(connection.subscribe('{b}')), true);
  await sleep(600);
  server.resume();
  await heard(connection, '{a}', messages);
  t.pass();
});

test('redis connection: one that is closed takes nothing more', async (t) => {
  const connection = await open(t, await startServer(t));
  await connection.close();
  await connection.close();
  unavailable(t, await failureOf(connection.call('get', 'k')), false);
  unavailable(t, await failureOf(connection.subscribe('{a}')), false);
});
