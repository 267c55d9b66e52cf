import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { fileStorage, webStorage } from '../../sdk/node.js';

function pathOf(t: ExecutionContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'trunkline-test-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return join(dir, 'deep', 'device.json');
}

test('file storage: keeps texts over restarts, readable by its owner alone', (t) => {
  const path = pathOf(t);
  const storage = fileStorage(path);
  t.is(storage.getItem('a'), null);
  storage.setItem('a', 'ä');
  storage.setItem('__proto__', 'p');
  storage.setItem('b', '2');
  storage.removeItem('b');
  storage.removeItem('never there');
  const again = fileStorage(path);
  t.deepEqual(
    ['a', '__proto__', 'b'].map((key) => again.getItem(key)),
    ['ä', 'p', null],
  );
  t.is(statSync(path).mode & 0o777, 0o600);
});

test('file storage: what is no storage counts as empty and is replaced', (t) => {
  const path = pathOf(t);
  fileStorage(path).setItem('a', '1');
  for (const text of ['', '[', 'null', '{"a":1,"b":"2"}']) {
    writeFileSync(path, text);
    t.is(fileStorage(path).getItem('a'), null, text);
  }
  fileStorage(path).setItem('c', '3');
  t.is(fileStorage(path).getItem('b'), '2');
});

test('file storage: keeps an identity too', async (t) => {
  const path = pathOf(t);
  await webStorage(fileStorage(path)).set({ deviceId: 'd', deviceSecret: 's' });
  t.deepEqual(await webStorage(fileStorage(path)).get(), { deviceId: 'd', deviceSecret: 's' });
});
