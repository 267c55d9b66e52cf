import test from 'ava';
import { CurrentConfig, changedSettings, parseConfig } from '../../config/index.js';

const BASE = {
  apps: { shop: { keys: ['app-key-0123456789'] } },
  businesses: { im: { id: 1, apps: ['shop'], keys: ['im-key-0123456789'] } },
};
const load = (extra: object = {}) => parseConfig(JSON.stringify({ ...BASE, ...extra }), { baseDir: '/srv' });

test('current: what is derived is made once for each configuration', (t) => {
  const current = new CurrentConfig(load());
  let made = 0;
  const workers = current.derive(({ node }) => {
    made += 1;
    return node.workers;
  });
  t.is(made, 0);
  t.deepEqual([workers(), workers(), made], [0, 0, 1]);
  current.replace(load({ node: { workers: 3 } }));
  t.deepEqual([workers(), workers(), made], [3, 3, 2]);
  t.is(current.generation, 1);
});

test('changes: equal configurations have none', (t) => {
  t.deepEqual(changedSettings(load(), load()), []);
});

test('changes: each setting is named by its path, and no value is', (t) => {
  const next = load({
    limits: { inFlight: 5 },
    access: { ws: null },
    apps: { shop: { keys: ['app-key-0123456789', 'app-key-next-9876'] }, toys: { keys: ['toys-key-0123456789'] } },
    businesses: { im: { ...BASE.businesses.im, upstream: { url: 'http://a/', signingSecret: 's'.repeat(16) } } },
  });
  t.deepEqual(changedSettings(load(), next), [
    'access.ws',
    'limits.inFlight',
    'apps.shop.keys',
    'apps.toys',
    'businesses.im.upstream',
  ]);
  t.deepEqual(changedSettings(next, load()).length, 5);
});
