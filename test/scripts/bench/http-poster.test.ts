import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import { HttpPoster, parseAnswer } from '../../../scripts/bench/load/http-poster.js';

test('http poster: an answer is complete when its declared body is there', (t) => {
  const answer = Buffer.from('HTTP/1.1 429 Too Many Requests\r\ncontent-length: 2\r\n\r\n{}');
  for (let end = 0; end < answer.length; end++) t.is(parseAnswer(answer.subarray(0, end)), undefined);
  t.is(parseAnswer(answer)?.status, 429);
  t.is(parseAnswer(answer)?.body.toString(), '{}');
  t.throws(() => parseAnswer(Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')), {
    code: 'TRK_BENCH_FAILED',
  });
});

test('http poster: more requests than connections wait their turn', async (t) => {
  const echo: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = `${request.headers.authorization} ${request.url} ${Buffer.concat(chunks)}`;
      response.writeHead(200, { 'content-length': Buffer.byteLength(body) }).end(body);
    });
  };
  const server = createServer(echo);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const poster = await HttpPoster.open({ port, key: 'k', connections: 2 });
  t.teardown(() => poster.close());
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) => {
      const wire = poster.prepare('/p', Buffer.from(String(i)));
      return new Promise<string>((resolve) => poster.post(wire, (_status, body) => resolve(body.toString())));
    }),
  );
  t.deepEqual(
    answers,
    Array.from({ length: 20 }, (_, i) => `Bearer k /p ${i}`),
  );
});
