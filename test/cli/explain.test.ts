import test from 'ava';
import { attributesOf, explanationText } from '../../cli/commands/explain.js';
import { UsageError } from '../../cli/errors.js';
import type { Explanation } from '../../control/index.js';

const node = (name: string, leftOut?: Explanation['nodes'][number]['leftOut']): Explanation['nodes'][number] => ({
  node: name,
  incarnation: `0${name}`,
  region: 'eu',
  pool: 'default',
  load: 0.25,
  connections: 10,
  connectionLimit: 100,
  ...(leftOut === undefined ? {} : { leftOut }),
});
const name = (of: string) => ({ node: of, incarnation: `0${of}` });

const TOLD: Explanation = {
  device: {
    app: 'shop',
    device: 'till-7',
    state: 'online',
    connectionId: '0a-1-1',
    incarnation: '0a',
    node: 'a',
    region: 'eu',
    sinceMs: 0,
  },
  attributes: { region: 'eu' },
  regions: { asked: 'eu', home: 'eu', by: 'hint', known: true, steps: [['eu'], ['us', 'asia']], chosen: ['eu'] },
  policies: [],
  settings: [],
  pools: { steps: ['default'], chosen: 'default', empty: [] },
  nodes: [node('a'), node('b'), node('c'), node('d', 'draining')],
  rounds: [{ compared: [name('a'), name('b')], taken: name('b'), by: 'load' }],
  answer: {
    accessPoints: { tcp: ['b:1'] },
    protocols: ['tcp'],
    settings: { heartbeat: { intervalMs: 1, minMs: 1, maxMs: 1 }, report: { share: 0, intervalMs: 1 } },
  },
};

test('explain: attributes are name and value', (t) => {
  t.deepEqual(attributesOf(['region=eu', 'note=a=b', 'empty=']), { region: 'eu', note: 'a=b', empty: '' });
  for (const wrong of ['region', '=eu', '']) t.throws(() => attributesOf([wrong]), { instanceOf: UsageError });
});

test('explain: nodes with their verdict, comparisons, addresses', (t) => {
  const lines = explanationText(TOLD).split('\n');
  t.regex(lines[0] ?? '', /^device {6}till-7 of shop: online at a \(eu\), 0a-1-1, for \d+ d/);
  t.is(lines[1], 'region      eu asked for; eu, then us or asia; taken: eu');
  t.is(lines[2], 'pool        default; taken: default');
  t.regex(lines[5] ?? '', /^a +0a +eu +default +0\.25 +10 of 100 +not drawn$/);
  t.regex(lines[6] ?? '', /^b .*taken, 1\.$/);
  t.regex(lines[8] ?? '', /^d .*left out: it drains$/);
  t.is(lines[10], '1. of a and b: b, less loaded');
  t.is(lines[11], 'tcp         b:1');
});

test('explain: a refusal, an unknown region, a device whose place nobody can tell', (t) => {
  const text = explanationText({
    device: { app: 'shop', device: 'till\u001b[2J', state: 'unknown' },
    attributes: { region: 'mars' },
    regions: { asked: 'mars', home: 'eu', by: 'node', known: false, steps: [['eu']], chosen: [] },
    policies: [],
    settings: [],
    pools: { steps: ['default'], empty: ['default'] },
    nodes: [],
    rounds: [],
    refused: { code: 'TRK_NOT_READY', detail: 'no node takes devices now' },
  });
  t.regex(text, /^device {6}till\\u\{1b\}\[2J of shop: where it is cannot be told/);
  t.regex(text, /mars asked for, which nobody knows; the node that is asked is in eu; eu; no node takes clients there/);
  t.regex(text, /no node is known/);
  t.regex(text, /refused {5}TRK_NOT_READY: no node takes devices now$/);
});

test('explain: policies with what failed, settings with who gave them, pools that were empty', (t) => {
  const text = explanationText({
    ...TOLD,
    policies: [
      { policy: 'first', matched: false, failed: { condition: 'network', wanted: 'wifi', met: 'cell\u001b' } },
      { policy: 'second', matched: true },
    ],
    settings: [{ setting: 'pools', value: ['canary'], policy: 'second' }],
    pools: { steps: ['canary', 'default'], chosen: 'default', empty: ['canary'] },
  });
  t.regex(text, /^pool {8}canary, then default; taken: default; no node of canary takes clients$/m);
  t.regex(text, /^first {3}not matched: network wants wifi, met cell\\u\{1b\}$/m);
  t.regex(text, /^second {2}matched$/m);
  t.regex(text, /^pools {4}\["canary"\] {2}second$/m);
});
