import { readFile } from 'node:fs/promises';
import type { Page, Request } from '@playwright/test';
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

/** How pages are looked at; with the same page, as loading it is what takes time. */
const looks = [
  { name: 'light', dark: false, size: { width: 1280, height: 850 } },
  // In the dark nothing is different but colours.
  { name: 'dark', dark: true, rules: ['color-contrast'], size: { width: 1280, height: 850 } },
  { name: 'phone', dark: false, size: { width: 390, height: 800 } },
] as const;

/** Pages that stand behind others. */
const behind = [
  '/me',
  '/operations/user.add',
  '/users/admin@localhost',
  '/domains/localhost',
  '/plugins/xylem.muc',
  // Not the whole chain, which takes axe a minute.
  '/chain?search=message.in',
  '/nowhere',
];

function nameOf(address: string): string {
  return address.replaceAll(/\W+/g, '-').replace(/^-/, '') || 'overview';
}

async function whole(page: Page, address: string, look: string, rules?: string[]): Promise<void> {
  await shoot(page, `${nameOf(address)}-${look}`);
  expect.soft(await findings(page, rules), `${address}, ${look}`).toEqual([]);
  await expect.soft(page.getByRole('alert'), address).toHaveCount(0);
}

test('every page is whole in light, dark and on a phone, and axe finds nothing', async ({
  page,
  server,
}, info) => {
  info.setTimeout(600_000);
  const wrong = watch(page, server);
  const look = async (address: string): Promise<void> => {
    for (const { name, dark, size, ...more } of looks) {
      await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light' });
      await page.setViewportSize(size);
      await whole(page, address, name, 'rules' in more ? [...more.rules] : []);
    }
  };
  await page.goto(server.url);
  await expect(page.locator('#password')).toBeVisible();
  await look('/signin');
  await signIn(page, server);
  const all = [...(await addresses(page)), ...behind];
  expect(all.length).toBeGreaterThan(20);
  for (const address of all) {
    await page.setViewportSize(looks[0].size);
    await page.goto(server.url + address);
    await settled(page);
    await look(address);
  }
  expect(wrong).toEqual([]);
});

test.describe('Chinese', () => {
  test.use({ locale: 'zh-CN' });

  test('every page is Chinese', async ({ page, server }, info) => {
    info.setTimeout(300_000);
    const english = (await import('../src/i18n/en.json', { with: { type: 'json' } })).default;
    const chinese = (await import('../src/i18n/zh-CN.json', { with: { type: 'json' } })).default;
    const own = new Set<string>(Object.values(chinese));
    // What the console says itself; what the server and plugins say of themselves is English.
    const said = Object.values(english).filter((text) => /[a-z]{3}/.test(text) && !own.has(text));
    await signIn(page, server);
    for (const address of [...(await addresses(page)), ...behind]) {
      await page.goto(server.url + address);
      await settled(page);
      await shoot(page, `${nameOf(address)}-chinese`);
      const left = await page.evaluate((said) => {
        const texts = new Set(said);
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        const found: string[] = [];
        while (walker.nextNode()) {
          const node = walker.currentNode;
          const text = node.textContent?.trim() ?? '';
          if (texts.has(text) && !node.parentElement?.closest('code, pre, [lang]:not(html)'))
            found.push(text);
        }
        return found;
      }, said);
      expect.soft(left, address).toEqual([]);
    }
  });
});

test('the first page is small', async ({ page, server }) => {
  const asked: Request[] = [];
  page.on('requestfinished', (request) => asked.push(request));
  await signIn(page, server);
  await settled(page);
  // What went over the wire, compressed as it was.
  const sizes = await Promise.all(asked.map((it) => it.sizes()));
  const bytes = sizes.reduce((sum, it) => sum + it.responseBodySize, 0);
  expect(asked.length).toBeGreaterThan(8);
  expect(bytes).toBeGreaterThan(10_000);
  expect(bytes).toBeLessThan(150_000);
});

test('the first page is usable within a second on a slow machine', async ({ console: page, context }) => {
  const chromium = await context.newCDPSession(page);
  await chromium.send('Network.setCacheDisabled', { cacheDisabled: true });
  // A machine of a quarter of this one's speed. Other work on this one can only make it later: the best of some.
  await chromium.send('Emulation.setCPUThrottlingRate', { rate: 4 });
  const times: number[] = [];
  for (let round = 0; round < 4; round += 1) {
    await page.reload({ waitUntil: 'commit' });
    const usable = await page.waitForFunction(
      () => document.querySelector('main h1') && document.querySelector('#navigation a') && performance.now(),
    );
    times.push(Number(await usable.jsonValue()));
  }
  await chromium.send('Emulation.setCPUThrottlingRate', { rate: 1 });
  expect(Math.min(...times), times.join(', ')).toBeLessThan(1000);
});

test('a throw-away server has no configuration file to show', async ({ console: page, server }) => {
  await page.goto(`${server.url}/configuration`);
  await expect(page.getByText('This server has no configuration file')).toBeVisible();
  await expect(page.getByRole('link', { name: 'The file' })).toHaveCount(0);
  await page.goto(`${server.url}/configuration/file`);
  await expect(page.getByText('This server has no configuration file')).toBeVisible();
  await expect(page.getByRole('textbox')).toHaveCount(0);
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

const ofLists = new Set(['limit', 'after', 'search', 'sort', 'order']);

test('every operation has a name in both languages, and what the server says of it has both', async ({
  console: page,
}) => {
  const operations = await page.evaluate(async () => {
    const answer = (await (await fetch('/api/v1/operations')).json()) as {
      operations: {
        name: string;
        help: string;
        arguments: { name: string; help: string; schema: { enum?: string[] } }[];
        danger: { says?: string };
      }[];
    };
    return answer.operations;
  });
  const read = async (name: string): Promise<Record<string, string>> =>
    JSON.parse(await readFile(new URL(`../src/i18n/${name}`, import.meta.url), 'utf8')) as Record<
      string,
      string
    >;
  const chinese = await read('zh-CN.json');
  const sentences = await read('server/zh-CN.json');
  expect(operations.filter(({ name }) => !(`operation.${name}` in chinese))).toEqual([]);
  // Of lists the columns say by what they are sorted.
  const asked = operations.flatMap((it) => it.arguments).filter(({ name }) => !ofLists.has(name));
  const words = asked.flatMap((it) => [
    `argument.${it.name}`,
    ...(it.schema.enum ?? []).map((choice) => `choice.${choice}`),
  ]);
  expect([...new Set(words)].filter((word) => !(word in chinese))).toEqual([]);
  const texts = operations.flatMap((it) => [
    it.help,
    it.danger.says ?? '',
    ...it.arguments.map(({ help }) => help),
  ]);
  expect([...new Set(texts)].filter((text) => text && !(text in sentences))).toEqual([]);
});

test('what a plugin may do is said in both languages', async ({ console: page, server }) => {
  const plugins = await page.evaluate(async () => {
    const ask = async (path: string): Promise<unknown> => (await fetch(`/api/v1${path}`)).json();
    const { items } = (await ask('/plugins?limit=1000')) as { items: { id: string }[] };
    return items.map(({ id }) => id);
  });
  expect(plugins.length).toBeGreaterThan(15);
  await page.getByLabel('You and this console').click();
  await page.getByLabel('Language').selectOption('zh-CN');
  for (const id of plugins) {
    await page.goto(`${server.url}/plugins/${id}`);
    await settled(page);
    const said = await page.locator('.dots li').allTextContents();
    expect(said.length, id).toBeGreaterThan(3);
    expect(
      said.filter((text) => !/[\u4e00-\u9fff]/.test(text)),
      id,
    ).toEqual([]);
  }
  await page.goto(`${server.url}/operations/user.add`);
  await expect(page.getByText('创建账户。')).toBeVisible();
  await expect(page.getByText('账户地址，name@domain')).toBeVisible();
});
