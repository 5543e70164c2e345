import type { Browser, Page } from '@playwright/test';
import { call, createUser, expect, findings, shoot, signIn, test } from './console';
import { Person } from './person';
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

test('nobody is led to what is refused', async ({ console: owner, browser, server }) => {
  await createUser(owner, 'juliet@localhost', 'wherefore');
  const juliet = await Person.connect(server, 'juliet@localhost', 'wherefore');
  const alerts = (page: Page) => page.getByRole('alert');

  const administrator = await enter(owner, browser, server, 'administrator');
  await administrator.getByRole('link', { name: 'API tokens' }).click();
  await expect(administrator.getByText('There are no tokens')).toBeVisible();
  await expect(alerts(administrator)).toHaveCount(0);
  await call(administrator, 'token.create', { name: 'mine', scopes: ['about'] });
  await administrator.reload();
  await administrator.getByRole('button', { name: 'Revoke: mine' }).click();
  await administrator.getByRole('dialog').getByRole('button').first().click();
  await expect(administrator.getByRole('button', { name: 'Revoke: mine' })).toHaveCount(0);
  await administrator.goto(`${server.url}/users/juliet%40localhost`);
  await expect(administrator.getByRole('button', { name: 'Sign out everywhere' })).toBeVisible();

  const operator = await enter(owner, browser, server, 'operator');
  await expect(operator.locator('.tile', { hasText: 'Sessions' })).toHaveAttribute('href', '/sessions');
  await expect(operator.locator('a[href="/stanzas"]')).toHaveCount(0);
  await operator.goto(`${server.url}/sessions`);
  await expect(operator.getByRole('link', { name: 'juliet@localhost/test' })).toBeVisible();
  await expect(operator.getByRole('button', { name: 'End:' })).toHaveCount(0);
  await operator.goto(`${server.url}/users/juliet%40localhost`);
  await expect(operator.getByText('online', { exact: true })).toBeVisible();
  await expect(operator.getByRole('link', { name: 'Export everything' })).toHaveCount(0);
  await expect(operator.getByRole('button', { name: 'Sign out everywhere' })).toHaveCount(0);
  await operator.goto(`${server.url}/plugins/xylem.mam`);
  await expect(operator.getByText('What it may do')).toBeVisible();
  await expect(operator.locator('main').getByRole('link', { name: 'Logs' })).toHaveCount(0);

  const auditor = await enter(owner, browser, server, 'auditor');
  await auditor.goto(`${server.url}/sessions`);
  await expect(auditor.getByText('Your role does not see those of others.')).toBeVisible();
  await auditor.goto(`${server.url}/domains`);
  await expect(auditor.locator('main').getByText('localhost', { exact: true }).first()).toBeVisible();
  await expect(auditor.locator('main').getByRole('link', { name: /localhost|\d/ })).toHaveCount(0);
  await auditor.goto(`${server.url}/users/juliet%40localhost`);
  await expect(alerts(auditor)).toHaveText(/You may call user.show for your own account only/);
  await shoot(auditor, 'refused-page');
  await juliet.leave();
});

test('of what is not there one thing is said', async ({ console: page, server }) => {
  for (const [address, text] of [
    ['/users/nobody%40localhost', 'There is no account nobody@localhost.'],
    ['/plugins/no.such', 'There is no plugin no.such.'],
    ['/rooms/none%40conference.localhost', 'There is no room none@conference.localhost.'],
    ['/domains/no.example', 'The domain no.example is not served here.'],
  ]) {
    await page.goto(server.url + address);
    await expect(page.getByRole('alert')).toHaveCount(1);
    await expect(page.getByRole('alert')).toHaveText(text ?? '');
    await expect(page.locator('main').getByRole('button')).toHaveText(['Try again']);
  }
  expect(await findings(page)).toEqual([]);
  await createUser(page, 'nobody@localhost', 'but somebody');
  await page.goto(`${server.url}/users/somebody%40localhost`);
  await expect(page.getByRole('alert')).toHaveCount(1);
  await createUser(page, 'somebody@localhost', 'but somebody');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByText('offline', { exact: true })).toBeVisible();
});
