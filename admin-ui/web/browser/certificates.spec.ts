import { test } from '@playwright/test';
import { Authority } from './authority';
import { Configured, PASSWORD } from './configured';
import { expect, findings, shoot, watch } from './console';

test('the wizard has a certificate ordered by ACME, and the console renews it', async ({ page }, info) => {
  test.skip(!Authority.installed(), 'pebble is not installed');
  info.setTimeout(240_000);
  const authority = await Authority.start();
  const server = await Configured.start(authority.settings);
  try {
    const wrong = watch(page, server);
    await page.goto(server.url);
    await page.getByLabel('One-time code').fill(await server.setupCode());
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByRole('textbox', { name: 'Domain' }).fill('verona.example');
    await page.getByLabel(/ACME/).check();
    await page.getByLabel('E-mail address').fill('prince@verona.example');
    await expect(page.getByRole('link', { name: 'Read them' })).toHaveAttribute('href', /letsencrypt\.org/);
    expect(await findings(page)).toEqual([]);
    await shoot(page, 'setup-acme');
    await page.getByRole('textbox', { name: 'Authority' }).fill(authority.directory);
    await page.getByRole('button', { name: 'Next' }).click();
    await expect(page.getByRole('alert'), 'nothing is ordered before the terms are agreed to').toBeVisible();
    await page.getByLabel(/terms of service/).check();
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByLabel('Name').fill('escalus');
    await page.getByLabel('Password').fill(PASSWORD);
    for (const step of ['Owner', 'Registration', 'Plugins']) {
      await expect(page.getByRole('heading', { level: 2, name: step })).toBeVisible();
      await page.getByRole('button', { name: /^(Next|Set up)$/ }).click();
    }
    await expect(page.getByRole('heading', { level: 1, name: 'Overview' })).toBeVisible();

    const row = page.getByRole('row').filter({ hasText: 'verona.example' });
    await expect(async () => {
      await page.goto(`${server.url}/certificates`);
      await expect(row).toContainText('Pebble', { timeout: 1_000 });
    }).toPass({ timeout: 60_000 });
    await expect(row).toContainText('Renewed by itself on');
    await row.getByText('Show').click();
    const before = await row.locator('code').textContent();
    expect(await findings(page)).toEqual([]);
    await shoot(page, 'certificates-acme');
    await page.getByRole('button', { name: 'Renew now: verona.example' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Go on' }).click();
    await expect(page.getByText('The certificate is new.')).toBeVisible({ timeout: 60_000 });
    await expect(row.locator('code')).not.toHaveText(before ?? '');

    // The authority is gone: it is said, and stays in the list, which nobody loaded anew.
    authority.silence();
    await page.getByRole('button', { name: 'Renew now: verona.example' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Go on' }).click();
    await expect(page.getByRole('alert')).toContainText('localhost', { timeout: 60_000 });
    await expect(row).toContainText('The last order failed', { timeout: 15_000 });
    expect(await findings(page)).toEqual([]);
    await shoot(page, 'certificates-failed');
    await page.goto(server.url);
    await expect(page.getByLabel('Problems')).toContainText('No new certificate for verona.example: ');

    // The first was ordered by the server itself.
    await page.goto(`${server.url}/audit?face=schedule`);
    const line = page.getByRole('row').filter({ hasText: 'order a certificate for verona.example' });
    await expect(line).toHaveCount(1);
    await expect(line).toContainText('the server by itself');
    await expect(line).toContainText('done');
    expect(await findings(page)).toEqual([]);
    await shoot(page, 'audit-schedule');
    await page.getByLabel('You and this console').click();
    await page.getByLabel('Language').selectOption('zh-CN');
    await expect(page.getByRole('row').filter({ hasText: '为 verona.example 申请证书' })).toContainText(
      '服务器自行执行',
    );
    await page.goto(`${server.url}/certificates`);
    await expect(row).toContainText('无法向 https://localhost');
    await page.goto(server.url);
    await expect(page.getByText(/无法为 verona\.example 取得新证书：无法向/)).toBeVisible();

    expect(wrong).toEqual([]);
  } finally {
    authority.stop();
    await server.stop();
  }
});
