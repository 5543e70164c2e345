import type { Browser, Page } from '@playwright/test';
import { call, createUser, expect, findings, shoot, signIn, test } from './console';
import type { Server } from './server';

const PASSWORD = 'the green-eyed monster';

/** Makes an account of this role and signs it in, in a browser of its own. */
async function enter(owner: Page, browser: Browser | null, server: Server, role: string): Promise<Page> {
  const account = `${role}@localhost`;
  await createUser(owner, account, PASSWORD);
  const domains = role === 'administrator' ? { domains: ['localhost'] } : {};
  if (role !== 'user') await call(owner, 'user.role', { account, role, ...domains });
  const context = await browser!.newContext({
    ignoreHTTPSErrors: true,
    locale: 'en-GB',
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  await page.goto(server.url);
  await page.getByLabel(/Address|地址/).fill(account);
  await page.getByLabel(/Password|密码/).fill(PASSWORD);
  await page.getByLabel(/Password|密码/).press('Enter');
  await expect(page.locator('#navigation')).toBeAttached();
  return page;
}

test('a page that is not for a role says so', async ({ console: owner, browser, server }) => {
  const closed: Record<string, string[]> = {
    operator: ['/configuration', '/configuration/file', '/logs', '/audit', '/stanzas'],
    auditor: ['/plugins/xylem.mam', '/chain', '/rooms/a@conference.localhost', '/domains/localhost', '/logs'],
    user: ['/plugins/xylem.mam', '/plugins', '/rooms/a@conference.localhost', '/users', '/store'],
  };
  for (const [role, addresses] of Object.entries(closed)) {
    const page = await enter(owner, browser, server, role);
    for (const address of addresses) {
      await page.goto(server.url + address);
      await expect(page.locator('main'), `${role} ${address}`).toContainText(
        new RegExp(`Your role \\(${role}\\) does not see this`, 'i'),
      );
      await expect(page.getByRole('alert')).toHaveCount(0);
    }
    expect(await findings(page)).toEqual([]);
    await shoot(page, `closed-${role}`);
    await page.evaluate(() => localStorage.setItem('xylem.language', 'zh-CN'));
    await page.reload();
    await expect(page.locator('main')).toContainText('看不到此内容');
    await page.context().close();
  }
});

test('a page that cannot be loaded waits for the server', async ({ page, server }) => {
  await signIn(page, server);
  await expect(page.getByRole('heading', { level: 1, name: 'Overview' })).toBeVisible();
  await page.context().setOffline(true);
  await page.getByRole('link', { name: 'Store', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'The server does not answer' })).toBeVisible();
  await page.context().setOffline(false);
  await expect(page.getByRole('heading', { level: 1, name: 'Store' })).toBeVisible();
});
