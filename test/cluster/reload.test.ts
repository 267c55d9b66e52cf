import test from 'ava';
import { checkReload, RestartNeededError } from '../../cluster/reload.js';
import { type ConfigInput, parseConfig } from '../../config/index.js';

const BASE: ConfigInput = {
  node: { region: 'eu' },
  engine: { type: 'redis' },
  control: { regions: { eu: {}, us: {} } },
  apps: { shop: { keys: ['app-key-0123456789'] } },
  businesses: { im: { id: 1, apps: ['shop'], keys: ['im-key-0123456789'] } },
};

/** What differs, or what takes a restart. */
function reload(change: Partial<ConfigInput>): readonly string[] {
  const config = (input: ConfigInput) => parseConfig(JSON.stringify(input));
  try {
    return checkReload(config(BASE), config({ ...BASE, ...change })).changed;
  } catch (error) {
    if (!(error instanceof RestartNeededError)) throw error;
    return error.settings.map((setting) => `restart: ${setting}`);
  }
}

test('reload: where a node is, what it does and where its state lies take a restart', (t) => {
  t.deepEqual(reload({ node: { region: 'us' } }), ['restart: node.region']);
  t.deepEqual(reload({ node: { region: 'eu', roles: ['access'] } }), ['restart: node.roles']);
  t.deepEqual(reload({ engine: { type: 'redis', prefix: 'other' } }), ['restart: engine.prefix']);
  t.true(reload({ engine: { type: 'embedded' } }).includes('restart: engine.type'));
  t.deepEqual(reload({ cluster: { leaseMs: 6_000 } }), ['restart: cluster.leaseMs']);
});

test('reload: which nodes clients are sent to changes at run time', (t) => {
  const regions = { eu: { fallback: ['us'], domains: { wss: 'eu.example.com:443' } }, us: {} };
  t.deepEqual(reload({ control: { accessPoints: 5, regions } }), [
    'control.accessPoints',
    'control.regions.eu.fallback',
    'control.regions.eu.domains.wss',
  ]);
});
