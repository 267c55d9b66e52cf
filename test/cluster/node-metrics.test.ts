/** The metrics of a real node: documented names, Prometheus's own format, workers summed up. */
import { readFileSync } from 'node:fs';
import test from 'ava';
import { FrameType } from '../../protocol/index.js';
import { eventually, startTestNode, TEST_KEYS, type TestNode } from '../support/start-test-node.js';
import { startBackEnd } from '../upstream/real-back-end.js';

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

test('node: metrics have the documented names in the format of Prometheus, and count what happened', async (t) => {
  const backEnd = await startBackEnd(t, (_request, response) => response.end('hi'));
  const node = await startTestNode(t, { upstreamUrl: backEnd.url });
  const placed = await node.onlineOnBothWorkers('device');
  await Promise.all(placed.map(({ client }) => client.business('im').request('hello')));
  await Promise.all(placed.map(({ client }) => client.business('live').join('stage-1')));
  const push = (device: string) =>
    node.call('POST', `/v1/apps/demo/devices/${device}/push`, { key: TEST_KEYS.im, body: { payload: 'x' } });
  for (const { deviceId } of placed) await push(deviceId);
  await push('nobody');
  await node.call('POST', '/v1/groups/stage-1/push', { key: TEST_KEYS.live, body: { payload: 'all' } });
  const stranger = await node.rawLink();
  stranger.send({ type: FrameType.ping, opaque: 1 });
  await stranger.ended;
  await eventually(async () => sum(await scrape(node), 'trunkline_multicast_deliveries_total') === placed.length);

  const answer = await node.call('GET', '/metrics');
  t.is(answer.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  const samples = parse(answer.text, (problem) => t.fail(problem));
  const { length } = placed;
  const expected: [string, Readonly<Record<string, string>>, number][] = [
    ['trunkline_connections', {}, length],
    ['trunkline_groups', {}, 2],
    ['trunkline_accepted_total', {}, length + 1],
    ['trunkline_logins_total', {}, length],
    ['trunkline_refused_logins_total', {}, 1],
    ['trunkline_closes_total', { code: '4503' }, 1],
    ['trunkline_pushes_total', { result: 'delivered' }, length],
    ['trunkline_pushes_total', { result: 'offline' }, 1],
    ['trunkline_worker_pushes_total', { outcome: 'delivered' }, length],
    ['trunkline_multicast_deliveries_total', {}, length],
    ['trunkline_upstream_seconds_count', { business: 'im', outcome: 'answered' }, length],
    ['trunkline_dropped_total', {}, 0],
  ];
  for (const [name, labels, value] of expected) {
    t.is(sum(samples, name, labels), value, `${name} ${JSON.stringify(labels)}`);
  }
  // REQUEST and JOIN of each; what comes before the login is no session's.
  t.is(sum(samples, 'trunkline_frames_in_total'), 2 * length);
  // CONNACK, two RESPONSEs and PUSH of each; a multicast is counted as deliveries.
  t.is(sum(samples, 'trunkline_frames_out_total'), 4 * length);
  t.true(sum(samples, 'trunkline_bytes_in_total') > 0 && sum(samples, 'trunkline_bytes_out_total') > 0);
  const threads = samples
    .filter(({ name }) => name === 'trunkline_event_loop_delay_seconds')
    .map(({ labels }) => labels['thread']);
  t.deepEqual(threads.toSorted(), ['access-0', 'access-1', 'main']);

  const documented = new Set(readFileSync('docs/operations.md', 'utf8').match(/`trunkline_[a-z_]+`/g));
  const shown = new Set([...answer.text.matchAll(/^# TYPE (trunkline_\w+) /gm)].map(([, name]) => `\`${name}\``));
  t.deepEqual([...shown].toSorted(), [...documented].toSorted(), 'docs/operations.md names these and no others');
});

async function scrape(node: TestNode): Promise<Sample[]> {
  return parse((await node.call('GET', '/metrics')).text, () => {});
}

function sum(samples: readonly Sample[], name: string, labels: Readonly<Record<string, string>> = {}): number {
  return samples
    .filter((sample) => sample.name === name)
    .filter((sample) => Object.entries(labels).every(([key, value]) => sample.labels[key] === value))
    .reduce((total, { value }) => total + value, 0);
}

/** The text format 0.0.4, strictly: a type before each family, families in one piece, no sample twice. */
function parse(text: string, onProblem: (problem: string) => void): Sample[] {
  const samples: Sample[] = [];
  const types = new Map<string, string>();
  const seen = new Set<string>();
  let family = '';
  if (!text.endsWith('\n')) onProblem('the last line does not end');
  for (const line of text.split('\n').filter((each) => each !== '')) {
    if (line.startsWith('# HELP ')) continue;
    const type = /^# TYPE ([a-zA-Z_:][\w:]*) (counter|gauge|histogram|summary)$/.exec(line);
    if (type !== null) {
      family = type[1] ?? '';
      if (types.has(family)) onProblem(`family ${family} comes twice`);
      types.set(family, type[2] ?? '');
      continue;
    }
    const sample = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (-?[\d.e+-]+|NaN|[+-]Inf)$/.exec(line);
    if (sample === null) {
      onProblem(`not a sample: ${line}`);
      continue;
    }
    const [, name = '', labelText = '', value = ''] = sample;
    if (name.replace(/_(bucket|sum|count)$/, '') !== family && name !== family) onProblem(`${name} in ${family}`);
    if (types.get(family) === 'counter' && !/_total$|_seconds_total$/.test(name)) onProblem(`counter ${name}`);
    const identity = `${name}{${labelText}}`;
    if (seen.has(identity)) onProblem(`${identity} comes twice`);
    seen.add(identity);
    const labels = Object.fromEntries(
      [...labelText.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text]) => [key, text]),
    );
    samples.push({ name, labels, value: Number(value) });
  }
  return samples;
}
