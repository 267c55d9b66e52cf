import test from 'ava';
import { allowedMemoryBytes, memoryLimitBytes } from '../../cluster/overload-memory.js';

const GIB = 1024 ** 3;
const NO_CONTROL_GROUP = 18_446_744_073_709_552_000;

function limits(addressSpace: string, dataSize: string): string {
  return [
    'Limit                     Soft Limit           Hard Limit           Units     ',
    `Max data size             ${dataSize.padEnd(20)} unlimited            bytes     `,
    'Max stack size            8388608              unlimited            bytes     ',
    `Max address space         ${addressSpace.padEnd(20)} unlimited            bytes     `,
    'Max resident set          unlimited            unlimited            bytes     ',
  ].join('\n');
}

test('overload memory: a process may have what the machine has', (t) => {
  t.is(allowedMemoryBytes(8 * GIB, NO_CONTROL_GROUP, limits('unlimited', 'unlimited')), 8 * GIB);
  t.is(allowedMemoryBytes(8 * GIB, 0, ''), 8 * GIB);
});

test('overload memory: the least of machine, control group and resource limits counts', (t) => {
  t.is(allowedMemoryBytes(8 * GIB, 2 * GIB, limits('unlimited', 'unlimited')), 2 * GIB);
  t.is(allowedMemoryBytes(8 * GIB, 4 * GIB, limits(String(3 * GIB), 'unlimited')), 3 * GIB);
  t.is(allowedMemoryBytes(8 * GIB, 4 * GIB, limits(String(3 * GIB), String(GIB))), GIB);
});

test('overload memory: the limit is four fifths of it unless configured', (t) => {
  t.is(memoryLimitBytes(0, 10 * GIB), 8 * GIB);
  t.is(memoryLimitBytes(512, 10 * GIB), GIB / 2);
  t.true(memoryLimitBytes(0) > 0);
});
