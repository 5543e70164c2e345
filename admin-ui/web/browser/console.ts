import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import { test as base, expect, type Page } from '@playwright/test';
import { ADMIN, PASSWORD, Server } from './server';

interface Given {
  server: Server;
  /** Signed in as the owner. */
  console: Page;
}

/** Tests with a server, and a browser that is signed in to its console. */
export const test = base.extend<Given>({
  server: async ({}, use) => {
    const server = await Server.start();
    await use(server);
    await server.stop();
  },
  console: async ({ page, server }, use) => {
    const wrong = watch(page, server);
    await signIn(page, server);
    await use(page);
    expect(wrong, 'nothing goes wrong in the page, and nothing is asked of other hosts').toEqual([]);
  },
});

export { expect };

export async function signIn(page: Page, server: Server): Promise<void> {
  await page.goto(server.url);
  await page.getByLabel(/Address|地址/).fill(ADMIN);
  await page.getByLabel(/Password|密码/).fill(PASSWORD);
  await page.getByLabel(/Password|密码/).press('Enter');
  // On a narrow screen it is there, and hidden.
  await expect(page.locator('#navigation')).toBeAttached();
}

/** Everything in a page that should not be: errors, breaches of the policy, other hosts. */
export function watch(page: Page, server: { url: string }): string[] {
  const wrong: string[] = [];
  const host = new URL(server.url).host;
  page.on('pageerror', (error) => wrong.push(`error: ${error.message}`));
  page.on('console', (message) => {
    const text = message.text();
    // Refusals are part of some tests, and the first question of each is whether somebody is signed in.
    if (message.type() === 'error' && !/status of (4\d\d|503)/.test(text)) wrong.push(`console: ${text}`);
  });
  page.on('request', (request) => {
    const address = new URL(request.url());
    if (/^(https?|wss?):$/.test(address.protocol) && address.host !== host)
      wrong.push(`asked ${address.host}`);
  });
  return wrong;
}

/** What axe finds, in short; of all its rules or of some. */
export async function findings(page: Page, rules: string[] = []): Promise<string[]> {
  const axe = new AxeBuilder({ page });
  const { violations } = await (rules.length ? axe.withRules(rules) : axe).analyze();
  return violations.flatMap((it) => it.nodes.map((node) => `${it.id}: ${node.target.join(' ')}`));
}

/** Keeps a picture to look at, of what fits the screen. */
export async function shoot(page: Page, name: string): Promise<void> {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect.soft(wide, `${name} is no wider than the screen`).toBeLessThanOrEqual(0);
  const folder = process.env.XYLEM_SHOTS;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}

/** Creates an account by the API, with the session of the page. */
export async function createUser(page: Page, account: string, password: string): Promise<void> {
  await call(page, 'user.add', { account, password });
}

/** Calls an operation that changes something by the API, with the session of the page. */
export async function call(page: Page, name: string, given: Record<string, unknown>): Promise<void> {
  const status = await page.evaluate(
    async ([name, given]) => {
      const ask = async (path: string): Promise<unknown> => (await fetch(`/api/v1${path}`)).json();
      const { csrf } = (await ask('/session')) as { csrf: string };
      const { operations } = (await ask('/operations')) as {
        operations: { name: string; method: string; path: string }[];
      };
      const it = operations.find((it) => it.name === name);
      if (!it) return 0;
      const rest = { ...given };
      const path = it.path.replace(/\{(\w+)\}/g, (_, argument: string) => {
        const value = encodeURIComponent(String(rest[argument]));
        delete rest[argument];
        return value;
      });
      const headers = { 'content-type': 'application/json', 'x-csrf-token': csrf };
      const base = path.startsWith('/api/') ? '' : '/api/v1';
      return (await fetch(base + path, { method: it.method, headers, body: JSON.stringify(rest) })).status;
    },
    [name, given] as const,
  );
  expect([200, 201, 204], `${name} ${JSON.stringify(given)}`).toContain(status);
}
