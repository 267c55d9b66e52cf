/** Run as a process of its own: what comedy makes of a thread that dies while its actor initializes. */
import { createSystem } from 'comedy';
import type { ParentRef } from '../../actors/index.js';
import { actorPath } from '../../cluster/actor-system.js';

const PENDING_AFTER_MS = 500;

process.on('uncaughtException', (error) => {
  process.stdout.write(`uncaught: ${error.message}\n`);
  setTimeout(() => {
    process.stdout.write(`creation is ${state}\n`);
    process.exit();
  }, PENDING_AFTER_MS);
});

let state = 'pending';
const root = (await createSystem({ config: {}, test: true }).rootActor()) as unknown as ParentRef;
root.createChild(actorPath(import.meta.url, './early-death-actor.js'), { mode: 'threaded' }).then(
  () => {
    state = 'done';
  },
  () => {
    state = 'failed';
  },
);
