import type { Page } from '@playwright/test';
import { call, createUser, expect, findings, shoot, test } from './console';
import { Person } from './person';

/** Lists with what is searched for in each, and the heads that sort it. */
const lists = [
  { address: '/users', search: 'localhost', heads: ['Account', 'Sessions', 'Created'] },
  { address: '/sessions', search: 'localhost', heads: ['Address', 'Connected for', 'Queue', 'Priority'] },
  { address: '/rooms', search: 'localhost', heads: ['Room', 'Name', 'Occupants'] },
  { address: '/audit', search: 'localhost', heads: ['When', 'Who', 'What'] },
  { address: '/tokens', search: 'key', heads: ['Name', 'Account', 'Created', 'Expires'] },
  { address: '/domains', search: 'localhost', heads: ['Domain', 'Accounts', 'Sessions'] },
  { address: '/certificates', search: 'localhost', heads: ['Domain', 'Valid until'] },
  { address: '/plugins', search: 'xylem', heads: ['Plugin', 'State', 'Calls', 'Faults'] },
  { address: '/federation', search: 'localhost', heads: ['Address', 'Domain', 'Plugin'] },
  { address: '/store', search: 'kernel', heads: ['Table', 'Entries', 'Size'] },
  { address: '/about', search: 'a', heads: ['Name', 'Licence', 'Kind'] },
];

const rows = (page: Page): Promise<string[]> =>
  page.locator('table tbody').last().locator('tr th, tr td:nth-child(3)').allTextContents();

/** Most of the test would be waiting for the next look pagewise. */
const often = (message: string): { message: string; intervals: number[] } => ({ message, intervals: [30] });

test('every list sorts, filters and pages, and a link shows it to others as it is', async ({
  console: page,
  server,
}, info) => {
  info.setTimeout(300_000);
  const people: Person[] = [];
  for (const name of ['salerio', 'antonio', 'gratiano']) {
    await createUser(page, `${name}@localhost`, 'in sooth i know not why');
    await call(page, 'room.create', { room: `${name}@conference.localhost`, name: `The house of ${name}` });
    await call(page, 'token.create', { name: `key of ${name}`, scopes: ['user.*'] });
    people.push(await Person.connect(server, `${name}@localhost`, 'in sooth i know not why'));
  }
  for (const { address, search, heads } of lists) {
    await page.goto(`${server.url}${address}?limit=1`);
    await page.getByRole('searchbox').last().fill(search);
    await expect(page, address).toHaveURL(new RegExp(`search=${search}`));
    const table = page.getByRole('table').last();
    for (const name of heads) {
      await expect(
        table.getByRole('columnheader', { name, exact: true }).getByRole('button'),
        `${address} by ${name}`,
      ).toBeVisible();
    }
    const last = table.getByRole('columnheader', { name: heads.at(-1), exact: true });
    await last.getByRole('button').click();
    await expect(last, address).toHaveAttribute('aria-sort', 'ascending');
    await last.getByRole('button').click();
    await expect(last, address).toHaveAttribute('aria-sort', 'descending');
    const next = page.getByRole('button', { name: 'Next' }).last();
    await expect(next, address).toBeEnabled();
    const first = await rows(page);
    await next.click();
    await expect(page, address).toHaveURL(/after=/);
    await expect.poll(() => rows(page), often(address)).not.toEqual(first);
    const shown = await rows(page);
    expect(shown.length, address).toBe(2);
    await expect(page, address).toHaveURL(/order=desc/);

    // Whoever gets the link loads all anew.
    const link = page.url();
    await page.goto('about:blank');
    await page.goto(link);
    await expect.poll(() => rows(page), often(address)).toEqual(shown);
    await expect(page.getByRole('searchbox').last(), address).toHaveValue(search);
    await expect(
      page
        .getByRole('table')
        .last()
        .getByRole('columnheader', { name: heads.at(-1), exact: true }),
      address,
    ).toHaveAttribute('aria-sort', 'descending');
    await page.getByRole('button', { name: 'First' }).click();
    await expect.poll(() => rows(page), often(address)).toEqual(first);
  }
  await Promise.all(people.map((it) => it.leave()));
});

test('lists are sorted on a phone, too', async ({ console: page, server }) => {
  for (const name of ['lorenzo', 'bassanio'])
    await createUser(page, `${name}@localhost`, 'the moon shines bright');
  await page.setViewportSize({ width: 390, height: 800 });
  await page.goto(`${server.url}/users`);
  const sort = page.getByLabel('Sort by …');
  await sort.selectOption('Account, descending');
  await expect(page).toHaveURL(/sort=account&order=desc/);
  await expect(page.locator('tbody th')).toHaveText([
    'lorenzo@localhost',
    'bassanio@localhost',
    'admin@localhost',
  ]);
  expect(await findings(page)).toEqual([]);
  await shoot(page, 'users-sorted-phone');
});
