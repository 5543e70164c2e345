import { client } from '@xmpp/client';
import type { Page } from '@playwright/test';
import { expect, signIn, test } from './console';
import type { Server } from './server';

// No test: a figure has no place among them. `npm run measure`, with XYLEM_BIN, XYLEM_PLUGINS and
// XYLEM_CONSOLE set, prints how long each page takes with many users and sessions.
const USERS = Number(process.env.XYLEM_USERS ?? 10_000);
const SESSIONS = Number(process.env.XYLEM_SESSIONS ?? 5_000);
const ROWS = 2_000;
const TOGETHER = 50;
const ROUNDS = 5;
/** What each page may take, in milliseconds. */
const WANTED = 300;

test('@measure how long each page takes', async ({ page, server }) => {
  test.setTimeout(3_600_000);
  await signIn(page, server);
  await people(page);
  await sessions(server);
  console.log(`${await connected(page)} sessions`);
  const links = page.getByRole('navigation', { name: 'Pages' }).getByRole('link');
  const addresses = await links.evaluateAll((all) => all.map((link) => link.getAttribute('href') ?? ''));
  const late: string[] = [];
  for (const address of [...addresses, '/users?search=user99', '/sessions?sort=since&order=desc']) {
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) times.push(await visit(page, address));
    times.sort((a, b) => a - b);
    const [least, middle, most] = [times[0] ?? 0, times[ROUNDS >> 1] ?? 0, times.at(-1) ?? 0];
    console.log(
      `${address.padEnd(36)} ${[least, middle, most].map((it) => it.toFixed(0).padStart(6)).join('')} ms`,
    );
    if (middle > WANTED) late.push(`${address}: ${middle.toFixed(0)} ms`);
  }
  console.log(`${await connected(page)} sessions at the end`);
  console.log(late.length ? `slower than ${WANTED} ms: ${late.join(', ')}` : `all within ${WANTED} ms`);
});

/** From the click until all that was asked of the server is on the screen. */
async function visit(page: Page, address: string): Promise<number> {
  await page.evaluate(() => {
    history.pushState(null, '', '/me');
    dispatchEvent(new PopStateEvent('popstate'));
  });
  await expect(page.locator('main h1')).toHaveText('Your account');
  return page.evaluate(async (address) => {
    const begun = performance.now();
    history.pushState(null, '', address);
    dispatchEvent(new PopStateEvent('popstate'));
    const whole = (): boolean => {
      const main = document.querySelector('main');
      return main?.querySelector('h1') !== null && !/Loading …|Your account/.test(main?.textContent ?? '');
    };
    do await new Promise((done) => requestAnimationFrame(done));
    while (!whole());
    return performance.now() - begun;
  }, address);
}

/** A figure of sessions that are gone would say nothing. */
function connected(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const overview = (await (await fetch('/api/v1/overview')).json()) as { sessions: number };
    return overview.sessions;
  });
}

async function people(page: Page): Promise<void> {
  for (let first = 0; first < USERS; first += ROWS) {
    const rows = Array.from(
      { length: Math.min(ROWS, USERS - first) },
      (_, i) => `user${first + i}@localhost,secret`,
    );
    const status = await page.evaluate(
      async (csv) => {
        const session = (await (await fetch('/api/v1/session')).json()) as { csrf: string };
        const post = (path: string, type: string, body: string): Promise<Response> => {
          const headers = { 'content-type': type, 'x-csrf-token': session.csrf };
          return fetch(`/api/v1${path}`, { method: 'POST', headers, body });
        };
        const sent = (await (await post('/uploads', 'application/octet-stream', csv)).json()) as {
          upload: string;
        };
        return (await post('/users/import', 'application/json', JSON.stringify({ file: sent.upload })))
          .status;
      },
      ['account,password', ...rows].join('\n'),
    );
    expect(status).toBe(200);
  }
}

/** Strangers, who cost no key derivation. */
async function sessions(server: Server): Promise<void> {
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  for (let made = 0; made < SESSIONS; made += TOGETHER) {
    const some = Array.from({ length: Math.min(TOGETHER, SESSIONS - made) }, () => {
      const stranger = client({ service: `xmpp://${server.line.c2s}`, domain: 'anon.localhost' });
      stranger.on('error', () => undefined);
      return stranger.start();
    });
    await Promise.all(some);
  }
}
