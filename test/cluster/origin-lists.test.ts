import test from 'ava';
import { createOriginLists } from '../../cluster/origin-lists.js';
import { parseConfig } from '../../config/index.js';
import { testConfig } from '../support/test-config.js';

const key = (name: string) => [`origin-test-key-of-${name}`];

const config = parseConfig(
  JSON.stringify(
    testConfig('./data', {
      app: { origins: ['https://demo.example', 'https://both.example'] },
      otherApps: {
        shop: { keys: key('shop'), origins: ['https://shop.example', 'https://both.example'] },
        kiosk: { keys: key('kiosk') },
      },
    }),
  ),
);

test('origin lists: a page passes where some app lists it, and logs in where its own app does', (t) => {
  const lists = createOriginLists(config);
  for (const origin of ['https://demo.example', 'https://shop.example', 'https://both.example']) {
    t.true(lists.isListed(origin), origin);
    t.is(lists.isListedBy('demo', origin), origin !== 'https://shop.example', origin);
    t.is(lists.isListedBy('shop', origin), origin !== 'https://demo.example', origin);
    t.false(lists.isListedBy('kiosk', origin), origin);
    t.false(lists.isListedBy('nobody', origin), origin);
  }
  for (const origin of ['https://evil.example', 'http://demo.example', 'https://demo.example:8443', 'null', '*', '']) {
    t.false(lists.isListed(origin), origin);
    t.false(lists.isListedBy('demo', origin), origin);
  }
});

test('origin lists: a star is for its own app only', (t) => {
  const lists = createOriginLists({ apps: { ...config.apps, kiosk: { ...app('kiosk'), origins: ['*'] } } });
  t.true(lists.isListed('https://anything.example'));
  t.true(lists.isListedBy('kiosk', 'https://anything.example'));
  t.false(lists.isListedBy('demo', 'https://anything.example'));
});

function app(name: string) {
  const found = config.apps[name];
  if (found === undefined) throw new Error(`no app ${name}`);
  return found;
}
