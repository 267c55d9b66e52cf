/** A worker thread that comes in as often as it can, links first, then logins. */
import { parentPort, workerData } from 'node:worker_threads';
import { WorkerAdmission } from '../../cluster/admission.js';

const { shared, index, attempts } = workerData as { shared: SharedArrayBuffer; index: number; attempts: number };
const admission = new WorkerAdmission(shared, index, () => 1);
let admitted = 0;
let entered = 0;
for (let i = 0; i < attempts; i++) {
  if (typeof admission.admit(`10.${index}.${i >> 8}.${i & 255}`) === 'number') admitted += 1;
  if (admission.enter()) entered += 1;
}
parentPort?.postMessage({ admitted, entered });
