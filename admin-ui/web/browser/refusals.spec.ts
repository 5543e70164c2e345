import { createUser, expect, findings, shoot, signIn, test } from './console';
import { ADMIN, PASSWORD } from './server';

test('what did not work is said in a sentence, in both languages', async ({ console: page, server }) => {
  await createUser(page, 'juliet@localhost', 'wherefore');
  await page.goto(`${server.url}/users`);
  await expect(page.getByRole('button', { name: 'Disable: juliet@localhost' })).toBeVisible();
  // Whoever is gone meanwhile cannot be disabled.
  const deleted = async (path: string): Promise<void> => {
    await page.evaluate(async (path) => {
      const { csrf } = (await (await fetch('/api/v1/session')).json()) as { csrf: string };
      await fetch(path, { method: 'DELETE', headers: { 'x-csrf-token': csrf } });
    }, path);
  };
  await deleted('/api/v1/users/juliet@localhost');
  await page.getByRole('button', { name: 'Disable: juliet@localhost' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Go on' }).click();
  const alert = page.getByRole('alert');
  await expect(alert).toHaveText('There is no account juliet@localhost.');
  await page.getByRole('button', { name: 'Dismiss' }).click();

  await page.evaluate(() => localStorage.setItem('xylem.language', 'zh-CN'));
  await createUser(page, 'juliet@localhost', 'wherefore');
  await page.reload();
  const disable = page.getByRole('button', { name: '停用: juliet@localhost' });
  await expect(disable).toBeVisible();
  await deleted('/api/v1/users/juliet@localhost');
  await disable.click();
  await page.getByRole('dialog').getByRole('button').first().click();
  await expect(alert).toHaveText('没有账户 juliet@localhost。');
});

test('a server that does not answer is no empty note', async ({ page, server }) => {
  await signIn(page, server);
  await createUser(page, 'juliet@localhost', 'wherefore');
  await page.goto(`${server.url}/users`);
  await page.getByRole('button', { name: 'Disable: juliet@localhost' }).click();
  await page.route('**/api/v1/users/**', (route) => route.abort());
  await page.getByRole('dialog').getByRole('button', { name: 'Go on' }).click();
  await expect(page.getByRole('alert')).toHaveText('The server does not answer.');
});

test('a room says why its last owner stays', async ({ console: page, server }) => {
  await page.goto(`${server.url}/rooms`);
  await page.getByRole('button', { name: 'Create a room' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Room', { exact: false }).first().fill('balcony@conference.localhost');
  await dialog.getByRole('button', { name: 'Create a room' }).click();
  await page.getByRole('link', { name: 'balcony@conference.localhost' }).click();
  await page
    .getByRole('row', { name: new RegExp(ADMIN) })
    .getByRole('button')
    .click();
  await expect(page.getByRole('alert')).toHaveText('A room keeps at least one owner.');
});

test('a session that ends while a question is open leaves the page to sign in', async ({
  console: page,
  server,
}) => {
  await createUser(page, 'juliet@localhost', 'wherefore');
  await page.goto(`${server.url}/users/juliet%40localhost`);
  for (const name of ['Delete', 'Set password']) {
    await page.getByRole('button', { name, exact: true }).first().click();
    await expect(page.getByRole('dialog')).toBeVisible();
    await page.context().clearCookies();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox').or(dialog.getByLabel('Password')).fill('juliet@localhost');
    await dialog.getByRole('button').first().click();
    await expect(page.getByRole('heading', { name: 'Sign in to Xylem' })).toBeVisible();
    await expect(page.getByText('Your session has ended. Sign in again to go on.')).toBeVisible();
    await expect(page.getByRole('dialog')).toHaveCount(0);
    await expect(page.getByRole('alert')).toHaveCount(0);
    await expect(page.getByLabel('Address')).toBeFocused();
    expect(await findings(page)).toEqual([]);
    await shoot(page, 'session-ended');
    await page.getByLabel('Address').fill(ADMIN);
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByLabel('Password').press('Enter');
    await expect(page.getByRole('heading', { level: 1, name: 'juliet@localhost' })).toBeVisible();
    await expect(page).toHaveURL(`${server.url}/users/juliet%40localhost`);
  }
});
