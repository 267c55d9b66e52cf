/**
 * 10,000 links that are opened and say nothing, or as many as the open files of this process allow, from several source
 * addresses: whoever has an account still gets in, and the handshake's time ends them all.
 */
import test, { type ExecutionContext } from 'ava';
import { openFileLimit } from '../../cluster/connection-limit.js';
import { CloseCode, FrameType } from '../../protocol/index.js';
import { attack } from '../support/attack.js';
import type { InspectedNode } from '../support/inspected-node.js';
import type { RawDevice } from '../support/raw-device.js';
import { shareInspectedNode } from '../support/share-inspected-node.js';
import { eventually } from '../support/start-test-node.js';

/** Long enough for all of them to be open at once on a slow machine. */
const HANDSHAKE_MS = 20_000;
const shared = shareInspectedNode({ limits: { handshakeMs: HANDSHAKE_MS } });

/** Other tests run in this process. */
const SPARE_FILES = 4_000;
const LINKS = Math.min(10_000, openFileLimit() - SPARE_FILES);
const ADDRESSES = 5;
const AT_ONCE = 100;
/** That come and go by themselves. */
const FEW_FILES = 20;

test.serial('half-open links: thousands keep nobody else out, and end with 4002', async (t) => {
  const node = shared();
  // Tables and pools grow once for so many links; what the next ones leave behind would be a leak.
  await outwait(t, node);
  // Links that stayed would keep 2.7 KiB each, the least that a bare one takes: 26 MiB.
  await attack(t, node, () => outwait(t, node), { peakMiB: 256, keptMiB: 16 });
});

/** Opens them all, logs in beside them, and stays until the last has been ended. */
async function outwait(t: ExecutionContext, node: InspectedNode): Promise<void> {
  const links: RawDevice[] = [];
  const filesBefore = node.openFiles();
  while (links.length < LINKS) {
    const batch = Array.from({ length: Math.min(AT_ONCE, LINKS - links.length) }, (_, i) =>
      node.rawLink(`127.0.0.${2 + (i % ADDRESSES)}`),
    );
    links.push(...(await Promise.all(batch)));
  }
  t.log(`${links.length} links from ${ADDRESSES} addresses, the node has ${node.openFiles()} files open`);
  const late = await node.rawDevice('late-comer');
  t.true(late.isOpen);
  late.cut();
  const codes = new Map<number, number>();
  for (const link of links) {
    const { code } = await link.next(FrameType.close);
    codes.set(code, (codes.get(code) ?? 0) + 1);
    await link.ended;
  }
  t.deepEqual([...codes], [[CloseCode.handshakeTimeout, LINKS]]);
  // A peer sees its link end before a busy node has let go of it.
  await eventually(() => node.openFiles() <= filesBefore + FEW_FILES);
  t.log(`afterwards ${node.openFiles()} files open`);
}
