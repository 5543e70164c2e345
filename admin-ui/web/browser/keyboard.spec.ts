import { expect, test } from './console';
import { ADMIN, PASSWORD } from './server';

test('everything is reached without a mouse', async ({ page, server }) => {
  await page.goto(server.url);
  await expect(page.locator('#account')).toBeFocused();
  await page.keyboard.type(ADMIN);
  await page.keyboard.press('Tab');
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1, name: 'Overview' })).toBeVisible();

  // The first stop is a way past the navigation.
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to content' })).toBeFocused();
  await page.keyboard.press('Enter');

  await page.keyboard.press('Control+k');
  await page.keyboard.type('create an acc');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1, name: 'Create an account' })).toBeVisible();
  await expect(page.locator('main')).toBeFocused();
  for (
    let stops = 0;
    !(await page.getByLabel('Account', { exact: true }).evaluate((it) => it === document.activeElement));
    stops += 1
  ) {
    expect(stops).toBeLessThan(5);
    await page.keyboard.press('Tab');
  }
  await page.keyboard.type('nurse@localhost');
  await page.keyboard.press('Tab');
  await page.keyboard.type('honey nurse, good nurse');
  await page.keyboard.press('Enter');
  await expect(page.getByText('Done: Create an account')).toBeVisible();

  await page.keyboard.press('Control+k');
  await page.keyboard.type('users');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('link', { name: 'nurse@localhost' })).toBeVisible();
  await page.getByRole('button', { name: 'Disable: nurse@localhost' }).focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden();
  await expect(page.getByRole('button', { name: 'Disable: nurse@localhost' })).toBeFocused();
});
