import { connect, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { eventually, startTestNode } from '../support/start-test-node.js';

/** Opens one link and finds out whether it was let in: who is refused is reset at once. */
function dial(
  t: ExecutionContext,
  address: string,
  localAddress = '127.0.0.1',
): { socket: Socket; isIn: Promise<boolean> } {
  const [host = '', port] = address.split(':');
  const socket = connect({ host, port: Number(port), localAddress });
  t.teardown(() => {
    socket.destroy();
  });
  socket.on('error', () => {});
  const isIn = new Promise<boolean>((resolve) => {
    socket.on('close', () => resolve(false));
    setTimeout(resolve, 1_000, true);
  });
  return { socket, isIn };
}

async function countOf(dials: { isIn: Promise<boolean> }[]): Promise<number> {
  return (await Promise.all(dials.map(({ isIn }) => isIn))).filter(Boolean).length;
}

test('node: links of one address are bounded over all workers, and others are not hurt', async (t) => {
  const node = await startTestNode(t, { limits: { connectionsPerIp: 4 } });
  const dials = Array.from({ length: 12 }, (_, i) => dial(t, i % 2 ? node.tcp : new URL(node.ws).host));
  t.is(await countOf(dials), 4);
  t.true(await dial(t, node.tcp, '127.0.0.2').isIn);
  const { text } = await node.call('GET', '/metrics', {});
  t.regex(text, /^trunkline_refused_links_total\{reason="ip-full"\} 8$/m);
  for (const { socket } of dials) socket.destroy();
  const isBack = () =>
    node.rawDevice('later').then(
      () => true,
      () => false,
    );
  await eventually(isBack);
});

test('node: accepts a second are bounded over all workers', async (t) => {
  const node = await startTestNode(t, { limits: { acceptsPerSecond: 5 } });
  const dials = Array.from({ length: 40 }, () => dial(t, node.tcp));
  const isIn = await countOf(dials);
  t.true(isIn >= 5 && isIn < 40, String(isIn));
  const { text } = await node.call('GET', '/metrics', {});
  t.regex(text, new RegExp(`^trunkline_refused_links_total\\{reason="rate"\\} ${40 - isIn}$`, 'm'));
});

test('node: strangers beyond the doorway are cut off, whatever the logins', async (t) => {
  const node = await startTestNode(t, { limits: { connections: 2 } });
  const device = await node.rawDevice('ada');
  const dials = Array.from({ length: 160 }, () => dial(t, node.tcp));
  const isIn = await countOf(dials);
  // Two places, a doorway of 128, and the device.
  t.is(isIn, 129);
  t.true(device.isOpen);
});

test('node: behind a proxy the address that it names is counted', async (t) => {
  const proxied = { port: 0, proxyProtocol: { from: ['127.0.0.0/8'] } };
  const node = await startTestNode(t, { access: { tcp: proxied }, limits: { connectionsPerIp: 2 } });
  const from = (source: string) => {
    const dialled = dial(t, node.tcp);
    dialled.socket.write(`PROXY TCP4 ${source} 198.51.100.1 40000 443\r\n`);
    return dialled;
  };
  t.is(await countOf([from('192.0.2.1'), from('192.0.2.1'), from('192.0.2.1')]), 2);
  t.true(await from('192.0.2.2').isIn);
});

test('node: requests a second of one connection are bounded, and a flood ends it', async (t) => {
  const node = await startTestNode(t, { workers: 1, limits: { requestsPerSecond: 5, inFlight: 1_000 } });
  const device = await node.rawDevice('ada');
  const request = (requestId: number) =>
    ({
      type: 5,
      requestId,
      businessId: 1,
      method: 'm',
      metadata: {},
      deadlineMs: 0,
      payload: new Uint8Array(0),
    }) as const;
  device.send(...Array.from({ length: 20 }, (_, i) => request(i + 1)));
  const statuses: number[] = [];
  for (let i = 0; i < 20; i++) statuses.push((await device.next(6)).status);
  // Business `im` has no back-end here: what is served is 12.
  t.true(statuses.filter((status) => status === 12).length >= 10);
  t.true(statuses.includes(8));
  device.send(...Array.from({ length: 200 }, (_, i) => request(i + 100)));
  await device.ended;
  t.like(device.frames.at(-1), { code: 4507 });
  const { text } = await node.call('GET', '/metrics', {});
  t.regex(text, /^trunkline_limited_requests_total [1-9]/m);
});
