/**
 * The demo page in a real browser: two tabs are two devices. One demo and one browser for the file; the tests run one
 * after the other, each with tabs of its own.
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { type ContextOptions, launchBrowser, openProfile } from './browser.js';
import { DemoProcess } from './demo-process.js';

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

const openContext = (t: ExecutionContext, options?: ContextOptions): Promise<BrowserContext> =>
  openProfile(t, browser, options);

async function openDevice(context: BrowserContext, name: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(demo.pageUrl);
  await online(page);
  await page.getByLabel('You are').fill(name);
  await page.getByRole('button', { name: 'Rename' }).click();
  return page;
}

const online = (page: Page) => page.locator('#state', { hasText: 'Online' }).waitFor();
const textOf = async (page: Page, selector: string) => (await page.locator(selector).textContent()) ?? '';
const deviceId = (page: Page) => textOf(page, '#device-id');

async function send(page: Page, to: string, text: string): Promise<void> {
  await page.locator('.person', { hasText: to }).click();
  await page.getByLabel('Message', { exact: true }).fill(text);
  await page.getByRole('button', { name: 'Send' }).click();
}

const offsets = async (page: Page): Promise<number[]> =>
  (await page.locator('#stream .offset').allTextContents()).map((text) => Number(text.slice(1)));

test.serial('page: two tabs are two devices that send messages to each other and see the delivery', async (t) => {
  const context = await openContext(t);
  const ada = await openDevice(context, 'Ada');
  const bo = await openDevice(context, 'Bo');
  t.not(await deviceId(ada), await deviceId(bo));

  await send(ada, 'Bo', 'Good morning, Bo');
  await bo.locator('.messages > div', { hasText: 'Good morning, Bo' }).filter({ hasText: 'from Ada' }).waitFor();
  await ada.locator('.mine', { hasText: 'Good morning, Bo' }).locator('.word-delivered').waitFor();

  await send(bo, 'Ada', 'Morning! <b>No markup</b> & "quotes" ✓');
  await ada.locator('.messages > div', { hasText: 'Morning! <b>No markup</b> & "quotes" ✓' }).waitFor();
});

test.serial('page: a reload keeps the device, a device that has gone is shown as away', async (t) => {
  const context = await openContext(t);
  const dora = await openDevice(context, 'Dora');
  const cy = await openDevice(context, 'Cy');
  const before = await deviceId(dora);
  await dora.reload();
  await online(dora);
  t.is(await deviceId(dora), before);
  t.is(await dora.getByLabel('You are').inputValue(), 'Dora');

  await dora.locator('.person', { hasText: 'Cy' }).waitFor();
  await cy.close();
  await dora.locator('.person', { hasText: 'Cy, away' }).waitFor();
  await send(dora, 'Cy, away', 'Anybody there?');
  await dora.locator('.mine', { hasText: 'Anybody there?' }).locator('.word-offline').waitFor();
});

test.serial('page: a demo device answers a message', async (t) => {
  const eli = await openDevice(await openContext(t), 'Eli');
  await send(eli, 'demo-device-2', 'Are you a person?');
  await eli.locator('.messages > div', { hasText: 'This is demo-device-2, a Node client online over tcp' }).waitFor();
  t.pass();
});

test.serial('page: both tabs in the room see the same stream, with offsets that leave out none', async (t) => {
  const context = await openContext(t);
  const fay = await openDevice(context, 'Fay');
  const gil = await openDevice(context, 'Gil');
  for (const page of [fay, gil]) await page.getByRole('button', { name: 'Join' }).click();
  await fay.getByPlaceholder('Say something to the room').fill('First row, best view');
  await fay.getByRole('button', { name: 'Comment' }).click();
  await gil.locator('#stream li', { hasText: 'First row, best view' }).waitFor();
  await fay.locator('#stream li.own', { hasText: 'First row, best view' }).waitFor();
  await fay.locator('#stream li').nth(8).waitFor();

  const seen = await offsets(fay);
  t.deepEqual(
    seen,
    seen.map((_, index) => (seen[0] ?? 0) + index),
  );
  await fay.getByRole('button', { name: 'Leave' }).click();
  await fay.getByRole('button', { name: 'Join' }).waitFor();
  t.true(await fay.getByRole('button', { name: 'Comment' }).isDisabled());
});

test.serial('page: a cut connection comes back by itself, in the room and reachable', async (t) => {
  const context = await openContext(t);
  const hal = await openDevice(context, 'Hal');
  const ira = await openDevice(context, 'Ira');
  await hal.getByRole('button', { name: 'Join' }).click();
  await hal.locator('#stream li').first().waitFor();
  const connection = await textOf(hal, '#connection-id');

  await hal.getByRole('button', { name: 'Cut the connection' }).click();
  await hal.locator('#events .kind', { hasText: 'back-off' }).waitFor();
  await hal.screenshot({ path: join(screenshots, 'cut.png') });
  await online(hal);
  t.not(await textOf(hal, '#connection-id'), connection);
  t.regex(await textOf(hal, '#last-cut'), /^back after [\d.]+ m?s, \d+ attempts?$/);

  const last = (await offsets(hal)).at(-1);
  await hal.waitForFunction((offset) => {
    const newest = document.querySelector('#stream li:last-child .offset')?.textContent ?? '#0';
    return Number(newest.slice(1)) > offset;
  }, last ?? 0);
  await send(ira, 'Hal', 'Welcome back');
  await hal.locator('.messages > div', { hasText: 'Welcome back' }).waitFor();
});

test.serial('page: a tab that was duplicated becomes a device of its own', async (t) => {
  const context = await openContext(t);
  const joy = await openDevice(context, 'Joy');
  const before = await deviceId(joy);
  const identity = await joy.evaluate(() => Object.entries(sessionStorage));
  const copy = await context.newPage();
  await copy.addInitScript((entries) => {
    if (sessionStorage.length === 0) for (const [key, value] of entries) sessionStorage.setItem(key, value);
  }, identity);
  await copy.goto(demo.pageUrl);
  await online(copy);
  t.is(await deviceId(copy), before);
  const isAnother = (id: string): boolean => {
    const now = document.querySelector('#device-id')?.textContent ?? '';
    return document.body.dataset['state'] === 'online' && now !== id && now.length > 20;
  };
  // A tab in the background draws no frames, by which it would be asked.
  await joy.waitForFunction(isAnother, before, { polling: 250 });
  t.not(await deviceId(joy), before);
});

test.serial(
  'page: a device of the demo is switched to each protocol, and every tab sees which one won and why',
  async (t) => {
    const context = await openContext(t);
    const kim = await openDevice(context, 'Kim');
    const lou = await openDevice(context, 'Lou');
    const choice = kim.locator('#switch-demo-device-2');
    const wayOn = (page: Page, text: string | RegExp) =>
      page.locator('.device', { hasText: 'demo-device-2' }).getByText(text).waitFor();
    await wayOn(kim, 'tcp: chosen here');
    for (const protocol of ['quic', 'tls', 'wss', 'ws', 'tcp']) {
      await choice.selectOption(protocol);
      for (const page of [kim, lou]) await wayOn(page, `${protocol}: chosen here`);
    }
    await choice.selectOption('race');
    await wayOn(lou, 'quic: first in the order of the control layer');
    await send(kim, 'demo-device-2', 'How are you connected?');
    await kim.locator('.messages > div', { hasText: 'online over quic' }).waitFor();
    await choice.selectOption('tcp');
    await wayOn(lou, 'tcp: chosen here');
    t.pass();
  },
);

test.serial(
  'page: while the browser does not trust the certificate, the race is won by ws, and the page says so',
  async (t) => {
    // Not a profile of the other tests: Chromium complains of the certificate, as it should.
    const context = await browser.newContext();
    t.teardown(() => context.close());
    const page = await context.newPage();
    await page.goto(`${demo.pageUrl}?protocol=race`);
    await online(page);
    t.regex(
      await textOf(page, '#way-in'),
      /^ws: (the better ones failed, 1 failed before|first to answer in the race)$/,
    );
  },
);

test.serial('page: in a browser that trusts the certificate wss can be chosen, and is in the race', async (t) => {
  const trusting = await launchBrowser(['--ignore-certificate-errors']);
  t.teardown(() => trusting.close());
  const page = await (await openProfile(t, trusting)).newPage();
  const wayIn = (text: string | RegExp) => page.locator('#way-in', { hasText: text }).waitFor();
  await page.goto(demo.pageUrl);
  await wayIn('ws: chosen here');
  await page.getByLabel('Protocol').selectOption('race');
  // Which of the two is there first is the machine's to say.
  await wayIn(/^wss?: first (in the order|to answer)/);
  await page.getByLabel('Protocol').selectOption('wss');
  await wayIn('wss: chosen here');
  const trust = (await page.locator('#trust').getAttribute('href')) ?? '';
  const answer = await (await trusting.newPage({ ignoreHTTPSErrors: true })).goto(trust);
  t.true((answer?.status() ?? 0) > 0, 'a page to which the browser asks whether to go on');
});

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [1280, 820, 390, 320]) {
    test.serial(`page: fits ${width} pixels, ${colorScheme}`, async (t) => {
      const context = await openContext(t, { colorScheme, viewport: { width, height: 1000 } });
      const ada = await openDevice(context, 'Ada');
      await ada.getByRole('button', { name: 'Join' }).click();
      await send(ada, 'demo-device-1', 'Hello from the browser');
      await ada.locator('.messages > div', { hasText: 'This is demo-device-1' }).waitFor();
      await ada.locator('#stream li').nth(5).waitFor();
      await ada.screenshot({ path: join(screenshots, `${colorScheme}-${width}.png`), fullPage: true });
      const tooWide = await ada.evaluate(() =>
        [document.documentElement, ...document.querySelectorAll('.diagram, .card, .top')]
          .filter((element) => element.scrollWidth > element.clientWidth)
          .map((element) => element.className || element.tagName),
      );
      t.deepEqual(tooWide, []);
    });
  }
}
