/**
 * One connection for all tabs, in a real browser at a real node: the node's own count of connections says how many
 * there are, its answer to a multicast who is in the room.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { eventually } from '../support/start-test-node.js';
import { launchBrowser, openProfile } from './browser.js';
import { DemoProcess } from './demo-process.js';

/** The demo's own two, which are in the room. */
const DEMO_DEVICES = 2;

const run = promisify(execFile);
let demo: DemoProcess;
let browser: Browser;
let screenshots: string;

test.before(async (t) => {
  demo = await DemoProcess.start();
  browser = await launchBrowser();
  screenshots = mkdtempSync(join(tmpdir(), 'trunkline-screenshots-'));
  t.log(`screenshots: ${screenshots}`);
});
test.after.always(async () => {
  await browser?.close();
  await demo?.stop();
});

const online = (page: Page) => page.locator('#state', { hasText: 'Online' }).waitFor();
const textOf = async (page: Page, selector: string) => (await page.locator(selector).textContent()) ?? '';

async function openTab(context: BrowserContext, query = '?link=shared'): Promise<Page> {
  const page = await context.newPage();
  await page.goto(new URL(query, demo.pageUrl).href);
  await online(page);
  return page;
}

async function joinRoom(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Join' }).click();
  await page.getByRole('button', { name: 'Leave' }).waitFor();
}

/** Connections at the node, those of the demo's devices left out. */
async function connections(): Promise<number> {
  const metrics = await (await fetch(new URL('/metrics', demo.printedAddress('Bridge')))).text();
  return Number(/^trunkline_connections(?:\{[^}]*\})? (\d+)$/m.exec(metrics)?.[1]) - DEMO_DEVICES;
}

/** Members of the room, the demo's devices left out. */
async function membersInRoom(): Promise<number> {
  const { members } = (await shell(demo.curlCommands[2] ?? '')) as { members: number };
  return members - DEMO_DEVICES;
}

async function shell(command: string): Promise<unknown> {
  return JSON.parse((await run('/bin/sh', ['-c', command])).stdout);
}

test.serial('tabs: two tabs are one device with one connection, and a push reaches both', async (t) => {
  const context = await openProfile(t, browser);
  const ada = await openTab(context);
  const bo = await openTab(context);
  const id = await textOf(ada, '#device-id');
  t.is(await textOf(bo, '#device-id'), id);
  t.is(await textOf(bo, '#connection-id'), await textOf(ada, '#connection-id'));
  t.is(await textOf(bo, '#link'), 'one for all tabs');
  t.is(await connections(), 1);

  t.like(await shell((demo.curlCommands[0] ?? '').replaceAll('demo-device-1', id)), { result: 'delivered' });
  for (const page of [ada, bo]) await page.locator('.messages > div', { hasText: 'Hello from curl' }).waitFor();
  await bo.screenshot({ path: join(screenshots, 'shared.png'), fullPage: true });

  await ada.close();
  await bo.locator('.person', { hasText: 'demo-device-2' }).click();
  await bo.getByLabel('Message', { exact: true }).fill('Are you a person?');
  await bo.getByRole('button', { name: 'Send' }).click();
  await bo.locator('.messages > div', { hasText: 'This is demo-device-2, a Node client online over tcp' }).waitFor();
  t.is(await connections(), 1);
  await bo.close();
  await eventually(async () => (await connections()) === 0);

  const again = await openTab(context);
  t.is(await textOf(again, '#device-id'), id);
});

test.serial('tabs: the device is in the room while a tab is; a tab that crashes gives its part up', async (t) => {
  const context = await openProfile(t, browser);
  const ada = await openTab(context);
  const bo = await openTab(context);
  await joinRoom(ada);
  t.is(await membersInRoom(), 1);
  await ada.locator('#stream li').first().waitFor();
  t.is(await bo.locator('#stream li').count(), 0);
  await joinRoom(bo);
  t.is(await membersInRoom(), 1);
  await ada.close();
  t.is(await membersInRoom(), 1);
  await bo.locator('#stream li').first().waitFor();

  const cy = await openTab(context);
  await bo.goto('chrome://crash').catch(() => {});
  await eventually(async () => (await membersInRoom()) === 0);
  await online(cy);
  await eventually(async () => (await connections()) === 1);
  await joinRoom(cy);
  await cy.locator('#stream li').first().waitFor();
});

test.serial('tabs: cut for all, both come back on the same new connection', async (t) => {
  const context = await openProfile(t, browser);
  const [ada, bo] = [await openTab(context), await openTab(context)];
  const before = await textOf(ada, '#connection-id');
  await ada.getByRole('button', { name: 'Cut the connection' }).click();
  const back = (id: string) => {
    const now = document.querySelector('#connection-id')?.textContent ?? 'none';
    return document.body.dataset['state'] === 'online' && now !== id && now !== 'none';
  };
  for (const page of [ada, bo]) await page.waitForFunction(back, before);
  t.is(await textOf(ada, '#connection-id'), await textOf(bo, '#connection-id'));
});

test.serial('tabs: without SharedWorker, and without its script, each tab has its own connection', async (t) => {
  const bare = await openProfile(t, browser);
  await bare.addInitScript(() => Reflect.deleteProperty(globalThis, 'SharedWorker'));
  const [ada, bo] = [await openTab(bare), await openTab(bare)];
  t.not(await textOf(ada, '#device-id'), await textOf(bo, '#device-id'));
  t.is(await textOf(bo, '#link'), 'own: no SharedWorker here');
  t.is(await connections(), 2);
  await bo.screenshot({ path: join(screenshots, 'own.png'), fullPage: true });
  await bare.close();
  await eventually(async () => (await connections()) === 0);

  const scriptless = await browser.newContext();
  t.teardown(() => scriptless.close());
  await scriptless.addInitScript(() => {
    const Real = SharedWorker;
    globalThis.SharedWorker = class extends Real {
      constructor(_: string | URL, options?: string | WorkerOptions) {
        super('/nowhere.js', options);
      }
    };
  });
  const cy = await openTab(scriptless);
  t.is(await textOf(cy, '#link'), 'own: no SharedWorker here');
});

test.serial('tabs: the page switches its link, and says which way in won and why', async (t) => {
  const context = await openProfile(t, browser);
  const page = await openTab(context, '');
  t.is(await textOf(page, '#way-in'), 'ws: chosen here');
  await page.getByLabel('One connection for all tabs').check();
  await page.waitForURL(/link=shared/);
  await online(page);
  t.is(await textOf(page, '#way-in'), 'ws: chosen here');
  t.is(await textOf(page, '#link'), 'one for all tabs');
  t.true(await page.locator('#protocol option[value=wss]').isEnabled());
  for (const [width, colorScheme] of [
    [1280, 'dark'],
    [390, 'light'],
    [320, 'dark'],
  ] as const) {
    await page.setViewportSize({ width, height: 1000 });
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: join(screenshots, `choice-${width}.png`), fullPage: true });
    t.true(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth));
  }
});
