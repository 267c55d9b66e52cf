import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { z } from 'zod';
import {
  createHttpServer,
  createKeyring,
  type HttpApp,
  HttpListenError,
  type HttpServerOptions,
  ProblemError,
  requireKey,
  startHttpServer,
  stopHttpServer,
} from '../../http/index.js';
import { TrunklineError } from '../../protocol/index.js';
import { createHttpClient, exchangeRaw } from '../support/http-client.js';
import { captureLog } from '../support/log-capture.js';

class BusyError extends TrunklineError {
  readonly code = 'TRK_BUSY';
}

async function start(t: ExecutionContext, addRoutes: (app: HttpApp) => void, options: Partial<HttpServerOptions> = {}) {
  const logs = captureLog();
  const app = createHttpServer({ log: logs.log, maxBodyBytes: 64 * 1024, ...options });
  addRoutes(app);
  const address = await startHttpServer(app, { host: '127.0.0.1', port: 0 });
  const client = createHttpClient(address, 1);
  t.teardown(async () => {
    await client.close();
    await stopHttpServer(app, 100);
  });
  return { app, address, call: client.call, logs };
}

const body = z.strictObject({ name: z.string(), list: z.array(z.object({ n: z.number() })).default([]) });

test('server: a route gets what its schemas made of the request', async (t) => {
  const { call } = await start(t, (app) => {
    const params = z.strictObject({ id: z.coerce.number() });
    const querystring = z.object({ q: z.string().optional() });
    app.post('/things/:id', { schema: { params, querystring, body } }, async (request) => ({
      id: request.params.id,
      q: request.query.q,
      list: request.body.list.length,
    }));
  });
  const answer = await call('POST', '/things/7?q=x', { body: { name: 'n' } });
  t.deepEqual(answer.json, { id: 7, q: 'x', list: 0 });
  t.is(answer.headers['content-type'], 'application/json; charset=utf-8');
});

test('server: a wrong field is named by part and path', async (t) => {
  const { call } = await start(t, (app) => {
    const querystring = z.strictObject({ q: z.enum(['a', 'b']) });
    app.post('/things', { schema: { querystring, body } }, async () => ({}));
  });
  const answer = await call('POST', '/things?q=a', { body: { list: [{ n: 1 }, { n: 'x' }] } });
  t.is(answer.status, 400);
  t.like(answer.json, { type: '/docs/errors#TRK_INVALID_REQUEST', title: 'Bad Request', status: 400 });
  t.deepEqual(
    answer.json.errors.map((each: { in: string; field: string }) => `${each.in} ${each.field}`),
    ['body name', 'body list[1].n'],
  );
  const query = await call('POST', '/things?q=c', { body: { name: 'n' } });
  t.is(query.json.errors[0].in, 'query');
  t.is(query.json.errors[0].field, 'q');
});

test('server: however many fields are wrong, twenty are told', async (t) => {
  const { call } = await start(t, (app) => {
    app.post('/things', { schema: { body: z.array(z.number()) } }, async () => ({}));
  });
  const answer = await call('POST', '/things', { body: Array(5_000).fill('x') });
  t.is(answer.json.errors.length, 20);
});

test('server: unknown paths are 404, wrong methods 405 with Allow', async (t) => {
  const { call } = await start(t, (app) => {
    app.get('/things/:id', async () => ({}));
    app.put('/things/:id', async () => ({}));
    app.post('/things/:id/do', async () => ({}));
  });
  const unknown = await call('GET', '/nothing');
  t.is(unknown.status, 404);
  t.is(unknown.json.code, 'TRK_NOT_FOUND');
  const wrong = await call('DELETE', '/things/7?x=/things/7/do');
  t.is(wrong.status, 405);
  t.is(wrong.json.code, 'TRK_METHOD_NOT_ALLOWED');
  t.is(wrong.headers['allow'], 'GET, HEAD, PUT');
  t.is((await call('GET', '/things/7/do')).headers['allow'], 'POST');
  t.is((await call('PROPFIND', '/things/7')).status, 405);
});

test('server: errors of ours have the status of their code, all others are 500 without a word', async (t) => {
  const thrown: Record<string, unknown> = {
    problem: new ProblemError(418, 'TRK_TEAPOT', 'short and stout', { headers: { 'x-tea': 'yes' } }),
    mapped: new BusyError('come back later'),
    unmapped: new (class extends TrunklineError {
      readonly code = 'TRK_OTHER';
    })('secret one'),
    plain: new Error('secret two'),
    text: 'secret three',
    disguised: Object.assign(new Error('secret four'), { statusCode: 400 }),
  };
  const { call, logs } = await start(
    t,
    (app) => {
      app.get('/:what', async (request) => {
        throw thrown[(request.params as { what: string }).what];
      });
    },
    { statusByCode: { TRK_BUSY: 503 } },
  );
  const problem = await call('GET', '/problem');
  t.is(problem.status, 418);
  t.is(problem.headers['x-tea'], 'yes');
  t.deepEqual(problem.json, {
    type: '/docs/errors#TRK_TEAPOT',
    title: "I'm a Teapot",
    status: 418,
    detail: 'short and stout',
    code: 'TRK_TEAPOT',
  });
  const mapped = await call('GET', '/mapped');
  t.is(mapped.status, 503);
  t.is(mapped.json.detail, 'come back later');
  t.is(mapped.headers['retry-after'], '1');
  for (const what of ['unmapped', 'plain', 'text']) {
    const answer = await call('GET', `/${what}`);
    t.is(answer.status, 500, what);
    t.is(answer.json.code, 'TRK_INTERNAL');
    t.false(answer.text.includes('secret'));
  }
  const disguised = await call('GET', '/disguised');
  t.is(disguised.status, 400);
  t.false(disguised.text.includes('secret'));
  t.true(['secret one', 'secret two', 'secret three'].every((secret) => logs.text().includes(secret)));
});

test('server: a key opens its scope only and names its subject', async (t) => {
  const keyring = createKeyring(new Map([['im', ['the-key']]]));
  const { call } = await start(t, (app) => {
    app.get('/open', async (request) => ({ subject: request.subject }));
    app.register(async (scope) => {
      requireKey(scope, keyring);
      scope.get('/closed', async (request) => ({ subject: request.subject }));
    });
  });
  t.deepEqual((await call('GET', '/open')).json, { subject: '' });
  t.deepEqual((await call('GET', '/closed', { key: 'the-key' })).json, { subject: 'im' });
  const headers = { authorization: 'bEARER  the-key' };
  t.is((await call('GET', '/closed', { headers })).status, 200);
  for (const authorization of ['', 'Bearer', 'Bearer ', 'Basic dGhlLWtleQ==', 'the-key', 'Bearer the-key x']) {
    const answer = await call('GET', '/closed', { headers: { authorization } });
    t.is(answer.status, 401, authorization);
    t.regex(String(answer.headers['www-authenticate']), /^Bearer /);
  }
});

test('server: a refusal costs the caller no connection', async (t) => {
  let connections = 0;
  const { call } = await start(t, (app) => {
    app.server.on('connection', () => {
      connections += 1;
    });
    app.post('/things', { schema: { body } }, async () => ({}));
  });
  for (const sent of ['{', { name: 1 }, { name: 'x'.repeat(100_000) }, '{"__proto__":1}', { name: 'ok' }]) {
    await call('POST', '/things', { body: sent });
    await call('GET', '/nothing');
  }
  t.is(connections, 1);
});

test('server: a request that does not arrive in time is 408', async (t) => {
  const { address } = await start(t, (app) => app.post('/things', async () => ({})), { requestTimeoutMs: 50 });
  const slowHeaders = await exchangeRaw(address, ['POST /things HTTP/1.1\r\nHost: x\r\n']);
  t.regex(slowHeaders, /^HTTP\/1\.1 408 .*TRK_REQUEST_TIMEOUT/s);
  const head = 'POST /things HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{';
  t.regex(await exchangeRaw(address, [head]), /^HTTP\/1\.1 408 .*TRK_REQUEST_TIMEOUT/s);
});

test('server: a route that streams its body keeps its own time', async (t) => {
  const { address } = await start(
    t,
    (app) => {
      app.addContentTypeParser('text/plain', (_request, _body, done) => done(null));
      app.post('/stream', { config: { streamsBody: true } }, async (request) => {
        let bytes = 0;
        for await (const chunk of request.raw) bytes += chunk.length;
        return { bytes };
      });
    },
    { requestTimeoutMs: 1_000 },
  );
  const [host = '', port = ''] = address.split(':');
  const socket = connect(Number(port), host);
  const head =
    'POST /stream HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n';
  socket.write(head);
  for (const byte of 'ab') {
    await new Promise((resolve) => setTimeout(resolve, 800));
    socket.write(byte);
  }
  let received = '';
  socket.on('data', (bytes) => {
    received += bytes;
  });
  await once(socket, 'close');
  t.regex(received, /^HTTP\/1\.1 200 .*\{"bytes":2\}/s);
});

test('server: a stop answers what is under way, closes the idle and takes nothing new', async (t) => {
  let release = () => {};
  let arrived = () => {};
  const underWay = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const { app, address, call } = await start(t, (each) => {
    each.get('/idle', async () => ({}));
    each.get('/slow', async () => {
      arrived();
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return { done: true };
    });
  });
  const idle = createHttpClient(address, 1);
  await idle.call('GET', '/idle');
  const answer = call('GET', '/slow');
  await underWay;
  const stopped = stopHttpServer(app);
  await t.throwsAsync(createHttpClient(address).call('GET', '/idle'));
  release();
  t.deepEqual((await answer).json, { done: true });
  await stopped;
  await idle.close();
});

test('server: a stop does not wait for ever', async (t) => {
  const { app, call } = await start(t, (each) => {
    each.get('/never', () => new Promise(() => {}));
  });
  const lost = t.throwsAsync(call('GET', '/never'));
  while (app.server.listening && (await connectionsOf(app)) === 0)
    await new Promise((resolve) => setImmediate(resolve));
  await stopHttpServer(app, 20);
  await lost;
});

test('server: an address that is taken is named', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.teardown(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  const app = createHttpServer({ log: captureLog().log, maxBodyBytes: 1_024 });
  await t.throwsAsync(startHttpServer(app, { host: '127.0.0.1', port }), {
    instanceOf: HttpListenError,
    code: 'TRK_HTTP_LISTEN',
    message: new RegExp(`^cannot listen on 127\\.0\\.0\\.1:${port}: .*EADDRINUSE`),
  });
});

test('server: a schema that is not zod is refused at start-up', async (t) => {
  const app = createHttpServer({ log: captureLog().log, maxBodyBytes: 1_024 });
  app.post('/things', { schema: { body: { type: 'object' } } }, async () => ({}));
  await t.throwsAsync(async () => app.ready(), { any: true, message: /is not a zod schema/ });
});

function connectionsOf(app: HttpApp): Promise<number> {
  return new Promise((resolve) => {
    app.server.getConnections((_error, count) => resolve(count));
  });
}
