import { test as base } from '@playwright/test';
import { expect, findings, shoot, watch } from './console';
import { Server } from './server';

const test = base.extend<{ fresh: Server }>({
  fresh: async ({}, use) => {
    const server = await Server.start(false);
    await use(server);
    await server.stop();
  },
});

test('the wizard makes an owner, and is gone then', async ({ page, fresh }) => {
  const wrong = watch(page, fresh);
  await page.goto(fresh.url);
  await page.getByLabel('One-time code').fill('0000-0000');
  await page.getByRole('button', { name: 'Next' }).click();
  await expect(page.getByText('The code is wrong, or it was used already.')).toBeVisible();
  expect(await findings(page)).toEqual([]);
  await page.getByLabel('One-time code').fill(fresh.line.setup_code ?? '');
  await page.getByRole('button', { name: 'Next' }).click();

  await expect(page.getByRole('heading', { level: 2, name: 'Domain' })).toBeFocused();
  for (const step of ['Domain', 'Owner', 'Registration', 'Plugins']) {
    await expect(page.getByRole('heading', { level: 2, name: step })).toBeVisible();
    expect(await findings(page), step).toEqual([]);
    await shoot(page, `setup-${step.toLowerCase()}`);
    if (step === 'Owner') {
      await page.getByLabel('Name').fill('portia');
      await page.getByLabel('Password').fill('short');
      await page.getByRole('button', { name: 'Next' }).click();
      await expect(page.locator('.wrong')).toBeVisible();
      await page.getByLabel('Password').fill('the quality of mercy is not strained');
    }
    await page.getByRole('button', { name: step === 'Plugins' ? 'Set up' : 'Next' }).click();
  }
  await expect(page.getByRole('heading', { level: 1, name: 'Overview' })).toBeVisible();
  await expect(page.locator('main')).toBeFocused();
  await page.getByLabel('You and this console').click();
  await expect(page.getByText(/^portia@/)).toBeVisible();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByRole('heading', { name: 'Sign in to Xylem' })).toBeVisible();
  expect(wrong).toEqual([]);
});

test('a wrong password says nothing of who there is', async ({ page }) => {
  const server = await Server.start();
  try {
    await page.goto(server.url);
    for (const account of ['admin@localhost', 'nobody@localhost']) {
      await page.getByLabel('Address').fill(account);
      await page.getByLabel('Password').fill('wrong');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await expect(page.getByRole('alert')).toHaveText(/Address or password is wrong\./);
    }
  } finally {
    await server.stop();
  }
});
