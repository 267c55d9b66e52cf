import test, { type ExecutionContext } from 'ava';
import type { RouteEvent } from '../../../actors/index.js';
import { EventsActor, type SettledEvent } from '../../../cluster/events/index.js';
import { type NodeConfig, parseConfig } from '../../../config/index.js';
import { verifyWebhook } from '../../../sdk/backend/index.js';
import { until } from '../../support/until.js';
import { type RealBackEnd, startBackEnd } from '../../upstream/real-back-end.js';

const SECRET = 'events-signing-secret';

interface Wanted {
  readonly url?: string;
  readonly connected?: boolean;
  readonly disconnected?: boolean;
}

function configOf(businesses: Record<string, Wanted>): NodeConfig {
  const entries = Object.entries(businesses).map(([name, { url, ...events }], index) => [
    name,
    {
      id: index + 1,
      apps: ['demo'],
      keys: [`key-of-business-number-${index}`],
      events,
      ...(url === undefined ? {} : { upstream: { url, signingSecret: SECRET } }),
    },
  ]);
  return parseConfig(
    JSON.stringify({ apps: { demo: { keys: ['demo-app-key-0123456'] } }, businesses: Object.fromEntries(entries) }),
  );
}

function startActor(t: ExecutionContext, config: NodeConfig) {
  const settled: SettledEvent[] = [];
  const actor = new EventsActor({ config, onSettled: (event) => settled.push(event) });
  t.teardown(() => actor.stop());
  return { actor, settled };
}

function routeEvent(changes: Partial<RouteEvent> = {}): RouteEvent {
  const base = { type: 'connected', app: 'demo', deviceId: 'd-1', connectionId: 'n-0-1', fence: 1 } as const;
  return { ...base, businesses: [1, 2], atMs: Date.now(), ...changes };
}

function told({ received }: RealBackEnd): string[] {
  return received.map(({ headers, body }) => {
    const verdict = verifyWebhook({ headers, body, secret: SECRET });
    if (!verdict.ok || verdict.event.type === 'request') return 'no event';
    const { business, type, device, fence, reason = '' } = verdict.event;
    return [business, type, device, fence, reason].join(' ').trim();
  });
}

const answerOk = (_request: unknown, response: { end(): unknown }) => void response.end();

test('events actor: each business hears what it asked for, of devices granted to it', async (t) => {
  const im = await startBackEnd(t, answerOk);
  const live = await startBackEnd(t, answerOk);
  const { actor, settled } = startActor(
    t,
    configOf({
      im: { url: im.url, connected: true, disconnected: true },
      live: { url: live.url, disconnected: true },
      push: { url: live.url },
    }),
  );
  actor.route(routeEvent());
  actor.route(routeEvent({ type: 'disconnected', code: 4505 }));
  actor.route(routeEvent({ deviceId: 'd-2', fence: 2, businesses: [2, 3] }));
  actor.route(routeEvent({ type: 'disconnected', deviceId: 'd-2', fence: 2, businesses: [2, 3], code: 0 }));
  await until(() => settled.length === 4);
  t.deepEqual(told(im), ['im connected d-1 1', 'im disconnected d-1 1 replaced']);
  t.deepEqual(told(live).sort(), ['live disconnected d-1 1 replaced', 'live disconnected d-2 2 link-lost']);
  t.deepEqual(actor.pending(), { im: 0, live: 0 });
  t.true(settled.every(({ outcome }) => outcome === 'delivered'));
});

test('events actor: a business that hangs delays only its own events', async (t) => {
  const hanging = await startBackEnd(t, () => {});
  const live = await startBackEnd(t, answerOk);
  const { actor, settled } = startActor(
    t,
    configOf({ im: { url: hanging.url, connected: true }, live: { url: live.url, connected: true } }),
  );
  for (let i = 0; i < 200; i++) actor.route(routeEvent({ deviceId: `d-${i}`, fence: i }));
  await until(() => settled.length === 200);
  t.is(live.received.length, 200);
  t.true(hanging.received.length <= 32);
  t.is(actor.pending()['im'], 200);
});

test('events actor: a stop sends what waits while there is time, and counts what is lost', async (t) => {
  const slow = await startBackEnd(t, (_request, response) => void setTimeout(() => response.end(), 20));
  const hanging = await startBackEnd(t, () => {});
  const { actor, settled } = startActor(
    t,
    configOf({ im: { url: slow.url, disconnected: true }, live: { url: hanging.url, disconnected: true } }),
  );
  const gone = (index: number) =>
    actor.route(routeEvent({ type: 'disconnected', deviceId: `d-${index}`, fence: index, code: 4000 }));
  for (let i = 0; i < 50; i++) gone(i);
  const stopping = actor.stop({ withinMs: 2_000 });
  gone(50);
  await stopping;
  const outcomes = (name: string) => settled.filter(({ business }) => business === name).map(({ outcome }) => outcome);
  t.deepEqual(new Set(outcomes('im')), new Set(['delivered']));
  t.is(outcomes('im').length, 51);
  await until(() => outcomes('live').length === 51);
  t.deepEqual(new Set(outcomes('live')), new Set(['lost']));
});

test('events actor: a reload moves a feed, ends one and begins another', async (t) => {
  const before = await startBackEnd(t, answerOk);
  const after = await startBackEnd(t, answerOk);
  const { actor, settled } = startActor(
    t,
    configOf({ im: { url: before.url, connected: true }, live: { url: before.url, connected: true }, push: {} }),
  );
  actor.route(routeEvent());
  await until(() => settled.length === 2);
  actor.reconfigure({
    config: configOf({
      im: { url: after.url, connected: true },
      live: { url: before.url },
      push: { url: after.url, disconnected: true },
    }),
  });
  actor.route(routeEvent({ fence: 2, businesses: [1, 2, 3] }));
  actor.route(routeEvent({ type: 'disconnected', fence: 2, businesses: [1, 2, 3], code: 4500 }));
  await until(() => settled.length === 4);
  t.is(before.received.length, 2);
  t.deepEqual(told(after).sort(), ['im connected d-1 2', 'push disconnected d-1 2 normal']);
});
