import { expect, findings, shoot, test } from './console';
import { ADMIN, PASSWORD } from './server';

test('everything is reached without a mouse', async ({ page, server }) => {
  await page.goto(server.url);
  await expect(page.locator('#account')).toBeFocused();
  await page.keyboard.type(ADMIN);
  await page.keyboard.press('Tab');
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1, name: 'Overview' })).toBeVisible();
  await expect(page.locator('main'), 'not lost with the form').toBeFocused();

  // The first stop is a way past the navigation.
  await page.reload();
  await expect(page.getByRole('heading', { level: 1, name: 'Overview' })).toBeVisible();
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

test('a dialog keeps the keyboard, and gives it back', async ({ console: page, server }) => {
  await page.goto(`${server.url}/users`);
  const open = page.getByRole('button', { name: 'Create an account' });
  await open.focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await expect(dialog).toBeVisible();
  expect(await findings(page)).toEqual([]);
  await shoot(page, 'dialog-user-add');
  for (let stop = 0; stop < 12; stop += 1) {
    await page.keyboard.press('Tab');
    // The browser's own bar is a stop, too; then nothing of the page has the focus.
    const inside = await page.evaluate(
      () => document.activeElement === document.body || document.activeElement?.closest('dialog') !== null,
    );
    expect(inside, `stop ${stop}`).toBe(true);
  }
  await dialog.getByLabel('Account', { exact: true }).fill('not an address');
  await dialog.getByRole('button', { name: 'Create an account' }).click();
  await expect(dialog.getByRole('alert').or(dialog.locator('[aria-invalid="true"]')).first()).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await expect(open).toBeFocused();
});

test('lists say how they are sorted, and their state is in the address', async ({
  console: page,
  server,
}) => {
  await page.goto(`${server.url}/plugins`);
  const head = page.getByRole('columnheader', { name: 'Calls' });
  await head.getByRole('button').focus();
  await page.keyboard.press('Enter');
  await expect(head).toHaveAttribute('aria-sort', 'ascending');
  await page.keyboard.press('Enter');
  await expect(head).toHaveAttribute('aria-sort', 'descending');
  await expect(page).toHaveURL(/sort=calls&order=desc/);
  await page.getByRole('searchbox').fill('xylem.mu');
  await expect(page).toHaveURL(/search=xylem\.mu/);
  await expect(page.getByRole('row')).toHaveCount(2);
  await expect(page.getByText('1 entry shown')).toBeAttached();

  // Whoever gets the link sees the same.
  await page.goto(page.url());
  await expect(page.getByRole('searchbox')).toHaveValue('xylem.mu');
  await expect(head).toHaveAttribute('aria-sort', 'descending');
  await expect(page.getByRole('row')).toHaveCount(2);

  await page.getByRole('link', { name: 'xylem.muc' }).click();
  await expect(page.locator('main')).toBeFocused();
  await page.goBack();
  await expect(page.getByRole('searchbox')).toHaveValue('xylem.mu');
  await expect(page.getByRole('row')).toHaveCount(2);
});

test('the menu of a phone keeps the keyboard while it is open', async ({ console: page, server }) => {
  await page.setViewportSize({ width: 390, height: 800 });
  await page.goto(`${server.url}/users`);
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await page.getByRole('button', { name: 'Menu' }).click();
  await page.locator('#navigation a').last().focus();
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement?.closest('main'))).toBeNull();
  expect(await findings(page)).toEqual([]);
  await shoot(page, 'menu-phone');
  // Where there is room for both, neither is in the other's way.
  await page.setViewportSize({ width: 1280, height: 850 });
  await page.getByRole('button', { name: 'Create an account' }).focus();
  await expect(page.getByRole('button', { name: 'Create an account' })).toBeFocused();
  await page.setViewportSize({ width: 390, height: 800 });
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Create an account' }).focus();
  await expect(page.getByRole('button', { name: 'Create an account' })).toBeFocused();
});
