/** Requests of devices through a real node to a real HTTP back-end, and back. */
import test from 'ava';
import { Status } from '../../protocol/index.js';
import { eventually, startTestNode } from '../support/start-test-node.js';
import { startBackEnd } from '../upstream/real-back-end.js';

test('node: a request reaches the back-end and its answer comes back, on either protocol', async (t) => {
  const backEnd = await startBackEnd(t, ({ headers, body }, response) => {
    response.setHeader('trunkline-meta-kind', 'answer');
    response.end(`${headers['ce-subject']}: ${body.toString('utf8').toUpperCase()}`);
  });
  const node = await startTestNode(t, { upstreamUrl: backEnd.url });
  for (const protocol of ['tcp', 'ws'] as const) {
    const client = await node.online(`ada-${protocol}`, { protocol });
    const reply = await client.business('im').request('shout', 'grüße 你好', { metadata: { lang: 'de' } });
    t.is(reply.text(), 'shout: GRÜSSE 你好');
    t.like(reply.metadata, { kind: 'answer' });
    const { headers } = backEnd.received.at(-1) ?? {};
    t.like(headers, { 'ce-subject': 'shout', 'trunkline-meta-lang': 'de' });
    t.like(await t.throwsAsync(client.business('live').request('x', '')), { status: Status.unimplemented });
  }
});

test('node: requests of one connection run side by side', async (t) => {
  const answers: (() => void)[] = [];
  const backEnd = await startBackEnd(t, ({ headers }, response) => {
    answers.push(() => response.end(String(headers['ce-subject'])));
  });
  const node = await startTestNode(t, { upstreamUrl: backEnd.url });
  const im = (await node.online('ada')).business('im');
  const done: string[] = [];
  const requests = ['first', 'second', 'third'].map(async (method) => done.push((await im.request(method)).text()));
  await eventually(() => answers.length === 3);
  const order = backEnd.received.map(({ headers }) => String(headers['ce-subject'])).toReversed();
  for (const answer of answers.toReversed()) {
    const before = done.length;
    answer();
    await eventually(() => done.length > before);
  }
  await Promise.all(requests);
  t.deepEqual(done, order);
});
