import test from 'ava';
import { matchedOf, parsePolicies, type Subject } from '../../../control/policies/index.js';
import { positionOf } from '../../../control/policies/share.js';
import { subject } from './subject.js';

const ROLLOUTS = 'rollouts: { grow: { share: 0 } }\n';
const withMatch = (match: string) => parsePolicies(`${ROLLOUTS}policies: [{ name: a, match: ${match}, set: {} }]`, 'p');

/** @returns what an explanation would tell; undefined for a match */
function failure(match: string, changes: Partial<Subject> = {}) {
  const who = subject(changes);
  const failed = withMatch(match).decide(who).tried[0]?.failed;
  return failed && [failed.field, failed.wanted(who), failed.met(who)];
}

const condition = test.macro({
  exec: (t, holds: string, fails: string, told: readonly string[], changes: Partial<Subject> = {}) => {
    t.is(failure(holds, changes), undefined);
    t.deepEqual(failure(fails, changes), [...told]);
  },
  title: (name) => `policies: ${name} decides, and a failure tells what was wanted and met`,
});

test('the app', condition, '{ app: [chat, shop] }', '{ app: chat }', ['app', 'chat', 'shop']);
test('the business', condition, '{ business: [im, live] }', '{ business: live }', ['business', 'live', 'im']);
test('the platform', condition, '{ platform: ios }', '{ platform: [web, android] }', [
  'platform',
  'web or android',
  'ios',
]);
test('the network', condition, '{ network: wifi }', '{ network: cellular }', ['network', 'cellular', 'wifi']);
test('the region', condition, '{ region: eu }', '{ region: us }', ['region', 'us', 'eu']);
test('the version of the app', condition, '{ appVersion: ">=5.2.0 <6" }', '{ appVersion: ">=5.2.1" }', [
  'appVersion',
  '>=5.2.1',
  '5.2.0',
]);
test(
  'the beginning of a window',
  condition,
  '{ from: "2027-01-31T13:00:00+01:00" }',
  '{ from: "2027-01-31T12:00:01Z" }',
  ['from', '2027-01-31T12:00:01.000Z', '2027-01-31T12:00:00.000Z'],
);
test('the end of a window', condition, '{ until: "2027-01-31T12:00:01Z" }', '{ until: "2027-01-31T12:00:00Z" }', [
  'until',
  '2027-01-31T12:00:00.000Z',
  '2027-01-31T12:00:00.000Z',
]);

test('policies: a device that says nothing of itself fails what asks for it', (t) => {
  const silent = { attributes: {} };
  t.deepEqual(failure('{ platform: ios }', silent), ['platform', 'ios', 'nothing']);
  t.deepEqual(failure('{ appVersion: "*" }', silent), ['appVersion', '*', 'nothing']);
  t.deepEqual(failure('{ business: im }', { businesses: [] }), ['business', 'im', 'nothing']);
  t.deepEqual(failure('{ share: 100 }', { deviceId: undefined }), ['share', 'below 100 % of a', 'no device']);
});

test('policies: versions as people write them, and betas', (t) => {
  const version = (text: string) => ({ attributes: { 'app-version': text } });
  for (const text of ['5.2', 'v5.2.9', '5.3.0-beta.1', '5.10.0+build.7']) {
    t.is(failure('{ appVersion: ">=5.2.0 <6.0.0-0" }', version(text)), undefined, text);
  }
  for (const text of ['', 'new', '6.0.0', '5.1.99', '9'.repeat(250)]) {
    t.deepEqual(failure('{ appVersion: ">=5.2.0 <6.0.0-0" }', version(text))?.[0], 'appVersion', text);
  }
});

test('policies: all conditions must hold, and the first that does not is told', (t) => {
  t.deepEqual(failure('{ share: 0, network: cellular, app: shop }'), ['network', 'cellular', 'wifi']);
});

test('policies: the first that matches wins, for each setting by itself', (t) => {
  const set = parsePolicies(
    `policies:
  - { name: other, match: { app: chat }, set: { protocols: [ws] } }
  - { name: first, match: { app: shop }, set: { protocols: [wss], features: { a: 1, b: true } } }
  - { name: second, set: { protocols: [tcp], pools: [canary], features: { b: false, c: "x" } } }
  - { name: third, set: { pools: [other], limits: { maxQueuedRequests: 7 } } }`,
    'p',
  );
  const decision = set.decide(subject());
  t.deepEqual(matchedOf(decision), ['first', 'second', 'third']);
  t.deepEqual(JSON.parse(JSON.stringify(decision.settings)), {
    protocols: ['wss'],
    pools: ['canary'],
    features: { a: 1, b: true, c: 'x' },
    limits: { maxQueuedRequests: 7 },
  });
  t.deepEqual(Object.fromEntries(decision.givenBy), {
    protocols: 'first',
    pools: 'second',
    'features.a': 'first',
    'features.b': 'first',
    'features.c': 'second',
    'limits.maxQueuedRequests': 'third',
  });
});

test('policies: a feature may have any name', (t) => {
  const set = parsePolicies('policies: [{ name: a, set: { features: { constructor: 1, a.b: 2 } } }]', 'p');
  const { settings, givenBy } = set.decide(subject());
  t.deepEqual({ ...settings.features }, { constructor: 1, 'a.b': 2 } as never);
  t.deepEqual([...givenBy.keys()], ['features.constructor', 'features.a.b']);
});

const DEVICES = 20_000;
const devices = Array.from({ length: DEVICES }, (_, i) => `device-${i}`);
/** Six standard deviations of the count. */
const tolerance = (share: number) => 6 * Math.sqrt(DEVICES * (share / 100) * (1 - share / 100));

test('policies: a share holds as many devices as it says, and a larger one holds the smaller', (t) => {
  const set = withMatch('{ rollout: grow }');
  let before = new Set<string>();
  for (const share of [1, 5, 25, 100]) {
    const shareOf = () => share;
    const now = devices.filter((deviceId) => matchedOf(set.decide(subject({ deviceId, shareOf }))).length > 0);
    t.true(Math.abs(now.length - (DEVICES * share) / 100) <= tolerance(share), `${share} %: ${now.length}`);
    const all = new Set(now);
    t.true([...before].every((device) => all.has(device)));
    before = all;
  }
  t.is(before.size, DEVICES);
  t.deepEqual(matchedOf(set.decide(subject({ shareOf: () => 0 }))), []);
});

test('policies: where a device stands depends on app, device and share, and never changes', (t) => {
  // Of all versions, or a rollout would change hands with an upgrade.
  t.is(positionOf('grow', 'shop', 'till-7').toFixed(6), '76.503309');
  const both = devices.filter((device) => positionOf('a', 'shop', device) < 10 && positionOf('b', 'shop', device) < 10);
  t.true(Math.abs(both.length - DEVICES / 100) <= tolerance(1));
  t.not(positionOf('a', 'shop', 'x'), positionOf('a', 'chat', 'x'));
});
