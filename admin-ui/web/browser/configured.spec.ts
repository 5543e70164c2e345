import { createUser, expect, findings, shoot } from './console';
import { OWNER, PASSWORD, test } from './configured';
import { Person } from './person';

test('a domain is added, changed and removed', async ({ console: page, server }, info) => {
  info.setTimeout(240_000);
  await page.goto(`${server.url}/domains`);
  await page.getByRole('button', { name: 'Add a domain' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Domain', { exact: true }).fill('belmont.localhost');
  const files = dialog.getByRole('textbox', { name: /certificate|key/i });
  await expect(files).toHaveCount(0);
  await dialog.getByRole('combobox').first().selectOption('files');
  await expect(files).toHaveCount(2);
  await dialog.getByRole('combobox').first().selectOption('');
  await expect(files).toHaveCount(0);
  expect(await findings(page)).toEqual([]);
  await shoot(page, 'domain-add');
  await dialog.getByRole('button', { name: 'Add a domain' }).click();
  const link = page.getByRole('link', { name: 'belmont.localhost', exact: true });
  await expect(link).toBeVisible();
  expect(server.configuration).toContain('[domains."belmont.localhost"]');

  // It is served at once.
  await createUser(page, 'nerissa@belmont.localhost', 'so is the will of a living daughter');
  const nerissa = await Person.connect(
    server,
    'nerissa@belmont.localhost',
    'so is the will of a living daughter',
  );
  await link.click();
  await expect(page.getByRole('heading', { level: 1, name: 'belmont.localhost' })).toBeVisible();
  await page.getByLabel('Login without an account').check();
  await page.getByRole('button', { name: 'See what would change' }).click();
  await expect(page.getByRole('listitem').filter({ hasText: 'anonymous' })).toContainText('true');
  expect(server.configuration, 'a preview changes nothing').not.toContain('anonymous = true');
  await shoot(page, 'domain-change');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('The configuration is saved.')).toBeVisible();
  expect(server.configuration).toContain('anonymous = true');

  await page.getByRole('button', { name: 'Remove', exact: true }).click();
  const go = dialog.getByRole('button', { name: 'Go on' });
  await expect(go).toBeDisabled();
  await dialog.getByLabel(/To confirm/).fill('belmont.localhost');
  await shoot(page, 'domain-remove');
  await go.click();
  await expect(page).toHaveURL(`${server.url}/domains`);
  await expect(page.getByRole('link', { name: 'localhost', exact: true })).toBeVisible();
  await expect(link).toHaveCount(0);
  expect(server.configuration).not.toContain('belmont');
  await expect.poll(() => nerissa.partings).toBeGreaterThan(0);
  await nerissa.leave();
});

test('the server is restarted, and everybody comes back', async ({ console: page, server }, info) => {
  info.setTimeout(240_000);
  await page.goto(`${server.url}/configuration?search=threads`);
  await page.getByRole('button', { name: 'Change: threads' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Value').fill('1000');
  await dialog.getByRole('button', { name: 'See what would change' }).click();
  await expect(dialog.locator('.note.bad')).toBeVisible();
  await dialog.getByLabel('Value').fill('3');
  await dialog.getByRole('button', { name: 'See what would change' }).click();
  await expect(dialog.getByText('needs a restart')).toBeVisible();
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('These are written otherwise than they are in force')).toBeVisible();
  expect(await findings(page)).toEqual([]);
  await shoot(page, 'configuration-pending');

  const portia = await Person.connect(server, OWNER, PASSWORD, 'court');
  await page.goto(`${server.url}/about`);
  await page.getByRole('button', { name: 'Restart the server' }).click();
  await dialog.getByLabel('In how many seconds').fill('3600');
  await dialog.getByRole('button', { name: 'Restart the server' }).click();
  await page
    .getByRole('dialog')
    .getByLabel(/To confirm/)
    .fill('restart');
  await page.getByRole('button', { name: 'Go on' }).click();
  const planned = page.getByText(/The server restarts at/);
  await expect(planned).toBeVisible();
  // Whoever opens the page later sees it as well, and can call it off.
  await page.reload();
  await expect(planned).toBeVisible();
  await shoot(page, 'restart-planned');
  await page.goto(server.url);
  await page.getByRole('link', { name: /The server restarts at/ }).click();
  await page.getByRole('button', { name: 'Call off the end' }).click();
  await expect(planned).toHaveCount(0);
  await page.reload();
  await expect(page.getByRole('button', { name: 'Restart the server' })).toBeVisible();
  await expect(planned).toHaveCount(0);
  await page.getByRole('button', { name: 'Restart the server' }).click();
  await dialog.getByLabel('Reason').fill('more threads');
  await dialog.getByRole('button', { name: 'Restart the server' }).click();
  await page
    .getByRole('dialog')
    .getByLabel(/To confirm/)
    .fill('restart');
  await page.getByRole('button', { name: 'Go on' }).click();
  await expect.poll(() => portia.partings).toBeGreaterThan(0);
  // Who looks on sees that it is away, and then that it is back, without doing anything.
  await expect(page.getByText('The server is restarted and answers again.')).toBeVisible();
  await shoot(page, 'restarted');
  await expect.poll(() => portia.connected).toBe(true);
  await portia.leave();

  await page.goto(`${server.url}/configuration?search=threads`);
  await expect(page.getByRole('row').filter({ hasText: 'threads' })).toContainText('3');
  await expect(page.getByText('These are written otherwise than they are in force')).toHaveCount(0);
  await page.goto(`${server.url}/audit?search=restart`);
  await expect(page.getByText('restart the server: more threads')).toBeVisible();
});
