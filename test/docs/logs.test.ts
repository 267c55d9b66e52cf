/** The operator's table of log messages and the code agree: every fixed sentence above `debug` has its row. */
import { readdirSync, readFileSync } from 'node:fs';
import test from 'ava';

const ROOT = new URL('../../../', import.meta.url);
const SOURCES = ['actors', 'bridge', 'cli', 'cluster', 'config', 'control', 'http', 'tokens', 'transports', 'upstream'];
const LOGS = /\blog(?:ger)?\??\.(?:error|warn|info)\(\s*'([^']+)'/gi;

function messagesInSource(): Set<string> {
  const messages = new Set<string>();
  for (const folder of SOURCES) {
    for (const file of readdirSync(new URL(folder, ROOT), { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.ts')) continue;
      const text = readFileSync(new URL(`${folder}/${file}`, ROOT), 'utf8');
      for (const [, message] of text.matchAll(LOGS)) messages.add(message as string);
    }
  }
  return messages;
}

test('operations page: explains every message that a node logs', (t) => {
  const page = readFileSync(new URL('docs/operations.md', ROOT), 'utf8');
  const section = /\n## Logs\n([\s\S]*?)\n## /.exec(page)?.[1] ?? '';
  const rows = [...section.matchAll(/^\| (`.*?`) \|/gm)].map(([, cell]) => cell as string);
  const explained = new Set(rows.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, message]) => message)));
  const messages = messagesInSource();
  t.true(messages.size > 20);
  t.deepEqual(
    [...messages].filter((message) => !explained.has(message)),
    [],
  );
});
