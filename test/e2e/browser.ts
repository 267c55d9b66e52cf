/** Chromium as the tests use it; what a page complains about fails its test. */
import type { ExecutionContext } from 'ava';
import { type Browser, type BrowserContext, chromium } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';
const ARGS = ['--no-sandbox', '--disable-quic', '--disable-background-networking'];
/** For the machine, not for Trunkline: a browser on two shared cores. */
const STEP_LIMIT_MS = 45_000;

export type ContextOptions = Parameters<Browser['newContext']>[0];

/** @param more switches of Chromium */
export function launchBrowser(more: readonly string[] = []): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: [...ARGS, ...more] });
}

/** A browser profile of its own; everything that a page complains about fails the test. */
export async function openProfile(
  t: ExecutionContext,
  browser: Browser,
  options?: ContextOptions,
): Promise<BrowserContext> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 1100 }, ...options });
  context.setDefaultTimeout(STEP_LIMIT_MS);
  const complaints: string[] = [];
  context.on('weberror', (error) => complaints.push(String(error.error())));
  context.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  t.teardown(async () => {
    await context.close();
    if (complaints.length > 0) throw new Error(`a page complained: ${complaints.join('\n')}`);
  });
  return context;
}
