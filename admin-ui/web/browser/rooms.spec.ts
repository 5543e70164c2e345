import { expect, test } from './console';

test('a room is created, configured and destroyed', async ({ console: page, server }) => {
  await page.goto(`${server.url}/domains`);
  const services = await page
    .getByRole('row', { name: /^localhost/ })
    .getByRole('cell')
    .last()
    .textContent();
  const service = services?.split(', ').find((it) => /room|conference|muc/.test(it)) ?? 'rooms.localhost';
  await page.goto(`${server.url}/rooms`);
  await page.getByRole('button', { name: 'Create a room' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Room', { exact: false }).first().fill(`balcony@${service}`);
  await dialog.getByLabel('Name').fill('The balcony');
  await dialog.getByRole('button', { name: 'Create a room' }).click();
  await page.getByRole('link', { name: `balcony@${service}` }).click();
  await page.locator('summary').filter({ hasText: 'Configuration' }).click();
  await page.getByLabel('Only members may enter').check();
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('The room is configured.')).toBeVisible();
  await page.reload();
  await page.locator('summary').filter({ hasText: 'Configuration' }).click();
  await expect(page.getByLabel('Only members may enter')).toBeChecked();
  await page.getByLabel('Only members may enter').uncheck();
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('The room is configured.')).toBeVisible();
  await page.reload();
  await page.locator('summary').filter({ hasText: 'Configuration' }).click();
  await expect(page.getByLabel('Only members may enter')).not.toBeChecked();
  await page.getByRole('button', { name: 'Destroy' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Destroy' }).click();
  await page
    .getByRole('dialog')
    .getByLabel(/To confirm/)
    .fill(`balcony@${service}`);
  await page.getByRole('button', { name: 'Go on' }).click();
  await expect(page).toHaveURL(`${server.url}/rooms`);
  await expect(page.getByRole('link', { name: `balcony@${service}` })).toHaveCount(0);
});
