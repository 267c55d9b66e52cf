/**
 * Run as a process of its own: prints how far the young generation of a thread grows, `bare` or after a `node` was
 * started, since V8's flags are the process's.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSystem } from 'comedy';
import type { ParentRef } from '../../actors/index.js';
import { startComposedNode } from '../../cli/compose.js';
import { actorPath } from '../../cluster/actor-system.js';
import { parseConfig } from '../../config/index.js';
import { captureLog } from './log-capture.js';
import { testConfig } from './test-config.js';

const dataDir = mkdtempSync(join(tmpdir(), 'trunkline-test-'));
if (process.argv[2] === 'node') {
  await startComposedNode(parseConfig(JSON.stringify(testConfig(dataDir, { workers: 1 }))), captureLog().log);
}
const root = (await createSystem({ config: {}, test: true }).rootActor()) as unknown as ParentRef;
const probe = await root.createChild(actorPath(import.meta.url, './probe-actor.js'), { mode: 'threaded' });
process.stdout.write(`${await probe.sendAndReceive('newSpaceBytes')}\n`);
rmSync(dataDir, { recursive: true, force: true });
process.exit();
