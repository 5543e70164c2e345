import type { Page } from '@playwright/test';
import { expect, findings, shoot, signIn, test, watch } from './console';

/** Every page of the navigation, by its address. */
async function addresses(page: Page): Promise<string[]> {
  const links = page.locator('#navigation a[href]');
  return links.evaluateAll((all) => all.map((link) => link.getAttribute('href') ?? ''));
}

async function settled(page: Page): Promise<void> {
  await expect(page.locator('main h1')).toBeVisible();
  await expect(page.getByText(/^(Loading …|正在加载……)$/)).toHaveCount(0);
}

const looks = [
  { name: 'light', use: { colorScheme: 'light' } },
  { name: 'dark', use: { colorScheme: 'dark' } },
  { name: 'phone', use: { colorScheme: 'light', viewport: { width: 390, height: 800 } } },
  { name: 'chinese', use: { colorScheme: 'light', locale: 'zh-CN' } },
] as const;

for (const look of looks) {
  test.describe(look.name, () => {
    test.use(look.use);

    // The gate has time for one of them.
    const tag = look.name === 'light' ? [] : ['@look'];
    test('every page is whole and axe finds nothing', { tag }, async ({ page, server }) => {
      const wrong = watch(page, server);
      await page.goto(server.url);
      await expect(page.locator('#password')).toBeVisible();
      expect(await findings(page), 'signing in').toEqual([]);
      await shoot(page, `signin-${look.name}`);
      await signIn(page, server);
      const all = [...(await addresses(page)), '/me', '/operations/user.add', '/users/admin@localhost'];
      expect(all.length).toBeGreaterThan(12);
      for (const address of all) {
        await page.goto(server.url + address);
        await settled(page);
        const name = address.replaceAll(/\W+/g, '-').replace(/^-/, '') || 'overview';
        await shoot(page, `${name}-${look.name}`);
        expect.soft(await findings(page), address).toEqual([]);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        expect.soft(wide, `${address} is no wider than the screen`).toBeLessThanOrEqual(0);
        await expect.soft(page.getByRole('alert'), address).toHaveCount(0);
      }
      expect(wrong).toEqual([]);
    });
  });
}

test('the first page is small', async ({ page, server }) => {
  let files = 0;
  let answers = 0;
  page.on('response', (response) => {
    const size = Number(response.headers()['content-length'] ?? 0);
    if (new URL(response.url()).pathname.startsWith('/api/')) answers += size;
    else files += size;
  });
  await signIn(page, server);
  await settled(page);
  expect(files).toBeGreaterThan(10_000);
  expect(files).toBeLessThan(100 * 1024);
  // Most of it describes the operations, those of plugins included.
  expect(answers).toBeLessThan(100 * 1024);
});

test('the overview draws what it hears', async ({ console: page }) => {
  await expect(page.locator('main canvas')).toHaveCount(4);
  await shoot(page, 'overview-drawn');
});

test('the theme and the language are switched and remembered', async ({ console: page }) => {
  await page.getByLabel('You and this console').click();
  await page.getByRole('button', { name: 'Dark' }).click();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await page.getByLabel('Language').selectOption('zh-CN');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('概览');
  await page.reload();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await expect(page.locator('html')).toHaveAttribute('lang', 'zh-CN');
});

test('every operation has a name in both languages', async ({ console: page }) => {
  const names = await page.evaluate(async () => {
    const answer = (await (await fetch('/api/v1/operations')).json()) as { operations: { name: string }[] };
    return answer.operations.map((it) => it.name);
  });
  const chinese = (await import('../src/i18n/zh-CN.json', { with: { type: 'json' } })).default as Record<
    string,
    string
  >;
  expect(names.filter((name) => !(`operation.${name}` in chinese))).toEqual([]);
});
