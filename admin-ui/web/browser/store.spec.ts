import { readFile } from 'node:fs/promises';
import { expect, findings, shoot, test } from './console';
import { ADMIN } from './server';

test('what is stored is exported, downloaded and deleted', async ({ console: page, server }) => {
  await page.goto(`${server.url}/store`);
  await page.getByRole('button', { name: 'Export everything' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox').fill('today.xylem');
  await dialog.getByRole('button', { name: 'Export everything' }).click();
  const link = page.getByRole('link', { name: 'Download: today.xylem' });
  await expect(link).toBeVisible();
  expect(await findings(page)).toEqual([]);
  await shoot(page, 'store-exports');
  const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
  expect(download.suggestedFilename()).toBe('today.xylem');
  expect(await download.failure()).toBeNull();

  // Back, from the server's disk and from this computer's.
  const said = page.getByRole('region', { name: 'Result' });
  for (const from of ['here', 'there'] as const) {
    await page.reload();
    if (from === 'here') await page.getByRole('button', { name: 'Import: today.xylem' }).click();
    else
      await page
        .locator('input[type=file]')
        .setInputFiles({ name: 'today.xylem', mimeType: '', buffer: await readFile(await download.path()) });
    await page.getByRole('dialog').getByRole('textbox').fill('today.xylem');
    await page.getByRole('dialog').getByRole('button', { name: 'Go on' }).click();
    await expect(said, from).toContainText(/Rows\s*\d+/);
  }
  await page.getByRole('button', { name: 'Remove: today.xylem' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Go on' }).click();
  await expect(link).toHaveCount(0);
});

test('pages of domains, second factors, federation and the end have what they need', async ({
  console: page,
  server,
}) => {
  await page.goto(`${server.url}/domains/localhost`);
  await expect(page.getByText('all that are installed')).toBeVisible();
  await shoot(page, 'domain');
  await page.goto(`${server.url}/users/${ADMIN}`);
  await expect(page.getByText('The password alone is enough to sign in to this console.')).toBeVisible();
  await page.goto(`${server.url}/federation`);
  await expect(page.getByRole('heading', { name: 'Services of this server' })).toBeVisible();
  await expect(page.getByText('conference.localhost')).toBeVisible();
  await shoot(page, 'federation');
  await page.goto(`${server.url}/about`);
  await page.getByRole('button', { name: /Restart/ }).click();
  const dialog = page.getByRole('dialog');
  await shoot(page, 'restart');
  await dialog.getByRole('button', { name: /Restart/ }).click();
  const go = page.getByRole('dialog').getByRole('button', { name: 'Go on' });
  await expect(go).toBeDisabled();
  await page
    .getByRole('dialog')
    .getByLabel(/To confirm/)
    .fill('restart');
  await expect(go).toBeEnabled();
  await shoot(page, 'restart-typed');
  await page.keyboard.press('Escape');
});
