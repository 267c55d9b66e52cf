import { existsSync } from 'node:fs';
import { request } from 'node:http';
import test from 'ava';
import { PageServer } from '../../demo/page-server.js';

const SETTINGS = {
  app: 'demo',
  controlUrl: 'http://127.0.0.1:1',
  webSocketUrl: 'ws://127.0.0.1:2',
  secureWebSocketUrl: 'wss://127.0.0.1:3',
  room: 'room-1',
  devices: ['demo-device-1'],
  protocols: ['tls', 'ws'],
};

test('page server: serves the page, its files and the SDK, with types', async (t) => {
  const server = await PageServer.open(0);
  t.teardown(() => server.close());
  const page = await fetch(server.url);
  t.is(page.status, 200);
  t.is(page.headers.get('content-type'), 'text/html; charset=utf-8');
  const html = await page.text();
  t.notRegex(html, /<script(?![^>]*src=)|<style|style="|onclick/, 'nothing inline');
  // What a module imports is visited as well: a set grows while it is walked.
  const names = new Set(['style.css', 'icon.svg', 'app.js', 'trunkline.shared-worker.js']);
  for (const name of names) {
    const response = await fetch(new URL(name, server.url));
    t.is(response.status, 200, name);
    t.regex(response.headers.get('content-type') ?? '', /css|svg|javascript/, name);
    const imports = (await response.text()).matchAll(/(?:from |import\()['"]\.\/([\w.-]+)['"]/g);
    for (const [, imported = ''] of imports) names.add(imported);
  }
  for (const name of ['trunkline.browser.js', 'trunkline.shared.js', 'link-choice.js']) t.true(names.has(name), name);
});

test('page server: the policy allows own files and the three addresses of the node', async (t) => {
  const server = await PageServer.open(0);
  t.teardown(() => server.close());
  server.publish(SETTINGS);
  const policy = (await fetch(server.url)).headers.get('content-security-policy') ?? '';
  t.true(policy.includes("default-src 'none'"));
  t.true(policy.includes("script-src 'self';"));
  t.true(policy.includes("worker-src 'self';"));
  t.true(policy.includes("connect-src 'self' http://127.0.0.1:1 ws://127.0.0.1:2 wss://127.0.0.1:3;"));
});

test('page server: settings are there once they are published', async (t) => {
  const server = await PageServer.open(0);
  t.teardown(() => server.close());
  const url = new URL('demo.json', server.url);
  t.is((await fetch(url)).status, 503);
  server.publish(SETTINGS);
  t.deepEqual(await (await fetch(url)).json(), SETTINGS);
});

test('page server: knows its files and no others, whatever the path', async (t) => {
  const server = await PageServer.open(0);
  t.teardown(() => server.close());
  t.true(existsSync('package.json'));
  for (const path of ['/../package.json', '/..%2fpage-server.js', '/page-server.js', '/none', '//', '/app.js/']) {
    t.is(await rawStatus(server.port, path), 404, path);
  }
  t.is(await rawStatus(server.port, '/app.js?v=1'), 200);
  t.is((await fetch(server.url, { method: 'POST' })).status, 405);
  t.is(await (await fetch(server.url, { method: 'HEAD' })).text(), '');
});

test('page server: both ways to write the loopback address are its origins', async (t) => {
  const server = await PageServer.open(0);
  t.teardown(() => server.close());
  t.deepEqual(server.origins, [`http://127.0.0.1:${server.port}`, `http://localhost:${server.port}`]);
});

/** `fetch` would tidy the path up. */
function rawStatus(port: number, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request({ port, path, host: '127.0.0.1' }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
}
