import { readFile } from 'node:fs/promises';
import { call, createUser, expect, test } from './console';
import { Person } from './person';

test('a user is created, found, disabled, enabled again and deleted', async ({ console: page, server }) => {
  await page.goto(`${server.url}/users`);
  await page.getByRole('button', { name: 'Create an account' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Account').fill('juliet');
  await dialog.getByLabel('Password').fill('wherefore art thou');
  await dialog.getByRole('button', { name: 'Create an account' }).click();
  await expect(dialog.getByText('This must be an address')).toBeVisible();
  await dialog.getByLabel('Account').fill('juliet@localhost');
  await dialog.getByRole('button', { name: 'Create an account' }).click();
  await expect(page.getByText('The account is created.')).toBeVisible();

  await createUser(page, 'romeo@localhost', 'but soft');
  await page.getByPlaceholder('Search').fill('jul');
  await expect(page.getByRole('row')).toHaveCount(2);
  await expect(page).toHaveURL(/search=jul/);

  await page.getByRole('button', { name: 'Disable: juliet@localhost' }).click();
  await page
    .getByRole('dialog', { name: 'Disable: juliet@localhost' })
    .getByRole('button', { name: 'Go on' })
    .click();
  await expect(
    page.getByRole('row', { name: /juliet/ }).getByText('disabled', { exact: true }),
  ).toBeVisible();
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(page.getByRole('row', { name: /juliet/ }).getByText('offline')).toBeVisible();

  await page.getByRole('link', { name: 'juliet@localhost' }).click();
  await expect(page.getByRole('heading', { name: 'juliet@localhost' })).toBeVisible();
  const link = page.getByRole('link', { name: 'Export everything' });
  const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
  expect(download.suggestedFilename()).toBe('juliet@localhost.json');
  const whole = JSON.parse(await readFile(await download.path(), 'utf8')) as { account: string };
  expect(whole.account).toBe('juliet@localhost');
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  const go = page.getByRole('dialog').getByRole('button', { name: 'Go on' });
  await expect(go).toBeDisabled();
  await page.getByRole('dialog').getByRole('textbox').fill('juliet@localhost');
  await go.click();
  await expect(page).toHaveURL(`${server.url}/users`);
  await expect(page.getByRole('row', { name: /romeo/ })).toBeVisible();
  await expect(page.getByRole('row', { name: /juliet/ })).toHaveCount(0);
});

test('what is kept for a user is read as it was meant', async ({ console: page, server }) => {
  const account = 'hermia@localhost';
  await call(page, 'log.level', { level: 'info' });
  await createUser(page, account, 'i would my father looked but with my eyes');
  const hermia = await Person.connect(server, account, 'i would my father looked but with my eyes');
  await hermia.publishCard('Hermia & Lysander <of Athens>');
  await hermia.leave();
  await page.goto(`${server.url}/users/${account}`);
  await page.getByText('vCard', { exact: true }).click();
  await expect(page.getByRole('definition').filter({ hasText: /^Hermia/ })).toHaveText(
    'Hermia & Lysander <of Athens>',
  );
  await page.getByText('Last activity', { exact: true }).click();
  const year = new Date().getFullYear();
  await expect(page.getByRole('definition').filter({ hasText: ` ${year}, ` })).not.toHaveCount(0);
  await page.goto(`${server.url}/logs?search=session+begins`);
  await expect(page.getByRole('listitem').filter({ hasText: 'hermia' }).first()).toContainText(
    /begins +\w+=\S+ \w+=/,
  );
});

test('accounts are imported after a look at what would happen', async ({ console: page, server }) => {
  await page.goto(`${server.url}/users`);
  await page.getByRole('button', { name: 'Import' }).click();
  const dialog = page.getByRole('dialog');
  await dialog
    .getByLabel('Or here')
    .fill('account,password\nnurse@localhost,honey nurse\nadmin@localhost,x\n');
  await dialog.getByRole('button', { name: 'See what would happen' }).click();
  await expect(dialog.getByRole('status')).toContainText('1 accounts would be created');
  await dialog.getByRole('button', { name: 'Create 1 account' }).click();
  await expect(dialog.getByText('1 account created.')).toBeVisible();
  await dialog.getByRole('button', { name: 'Close' }).click();
  await expect(page.getByRole('link', { name: 'nurse@localhost' })).toBeVisible();
});
