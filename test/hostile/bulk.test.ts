/** Bulk pushes by back-ends without manners: lines without end, and answers that nobody reads. */
import { once } from 'node:events';
import { connect } from 'node:net';
import test from 'ava';
import { attack } from '../support/attack.js';
import { exchangeRaw } from '../support/http-client.js';
import { shareInspectedNode } from '../support/share-inspected-node.js';
import { TEST_KEYS } from '../support/test-config.js';

const shared = shareInspectedNode();

const CHUNK_BYTES = 64 * 1024;
const FLOOD_BYTES = 64 * 1024 * 1024;
const HEAD =
  `POST /v1/push/bulk HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${TEST_KEYS.im}\r\n` +
  'Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n';

/** What takes so long for one piece takes no more. */
const STALL_MS = 5_000;

function stall(): Promise<unknown> {
  return new Promise((resolve) => setTimeout(resolve, STALL_MS).unref());
}

function chunkOf(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

test.serial('hostile bulk: a line without end is not gathered', async (t) => {
  const node = shared();
  function* endlessLine(): Generator<string> {
    yield HEAD + chunkOf('{"app":"demo","device":"nobody","payload":"');
    for (let sent = 0; sent < FLOOD_BYTES; sent += CHUNK_BYTES) yield chunkOf('x'.repeat(CHUNK_BYTES));
    yield `${chunkOf('"}\n')}0\r\n\r\n`;
  }
  const received = await attack(t, node, () => exchangeRaw(node.bridge, endlessLine()));
  t.regex(received, /^\{"index":0,"error":\{"code":"TRK_LINE_TOO_LONG"/m);
});

test.serial('hostile bulk: lines of noise are answered line by line', async (t) => {
  const node = shared();
  const lines = ['{', '[]', '"x"', '{"app":"demo"}', 'x'.repeat(1_000), '\u0000', '{"__proto__":{}}'];
  const body = lines.map((line) => chunkOf(`${line}\n`)).join('');
  const received = await attack(t, node, () => exchangeRaw(node.bridge, [`${HEAD}${body}0\r\n\r\n`]));
  const answers = received.split('\n').filter((line) => line.startsWith('{'));
  const codes = answers.map((line) => JSON.parse(line).error.code);
  const [json, request] = ['TRK_INVALID_JSON', 'TRK_INVALID_REQUEST'];
  t.deepEqual(codes, [json, request, request, request, json, json, request]);
});

test.serial('hostile bulk: who does not read the answers is held up, not served from memory', async (t) => {
  const node = shared();
  const [host = '', port] = node.bridge.split(':');
  await attack(t, node, async () => {
    const socket = connect({ host, port: Number(port) }).on('error', () => {});
    await once(socket, 'connect');
    socket.pause();
    socket.write(HEAD);
    const line = `${JSON.stringify({ app: 'demo', device: 'nobody', payload: 'x' })}\n`;
    const chunk = chunkOf(line.repeat(Math.ceil(CHUNK_BYTES / line.length)));
    // The node cuts it off in the end; until then it must not take everything, however long that is waited for.
    const gone = once(socket, 'close');
    let taken = 0;
    for (; taken < FLOOD_BYTES && !socket.destroyed; taken += chunk.length) {
      const written = new Promise<'written'>((resolve) => socket.write(chunk, () => resolve('written')));
      if ((await Promise.race([written, gone, stall()])) !== 'written') break;
    }
    t.log(`${taken} bytes were taken`);
    t.true(taken < FLOOD_BYTES / 2);
    socket.destroy();
  });
});
