import type { Locator } from '@playwright/test';
import { call, createUser, expect, findings, shoot, test } from './console';
import { Person } from './person';

interface Listed {
  address: string;
  search: string;
  /** What sorts it; by the last one it is sorted. */
  heads: string[];
  /** Where a page has several: what it is called, and what goes before its keys in the address. */
  label?: string;
  name?: string;
}

const lists: Listed[] = [
  { address: '/users', search: 'localhost', heads: ['Account', 'Sessions', 'Created'] },
  { address: '/sessions', search: 'localhost', heads: ['Address', 'Connected for', 'Queue', 'Priority'] },
  { address: '/rooms', search: 'localhost', heads: ['Room', 'Name', 'Occupants'] },
  { address: '/audit', search: 'localhost', heads: ['When', 'Who', 'What'] },
  { address: '/tokens', search: 'key', heads: ['Name', 'Account', 'Created', 'Expires'] },
  { address: '/domains', search: 'localhost', heads: ['Domain', 'Accounts', 'Sessions'] },
  { address: '/certificates', search: 'localhost', heads: ['Domain', 'Valid until'] },
  { address: '/plugins', search: 'xylem', heads: ['Plugin', 'State', 'Calls', 'Faults'] },
  { address: '/federation', search: 'localhost', heads: ['Address', 'Domain', 'Plugin'] },
  { address: '/announcements', search: 'argosies', heads: ['Time', 'Until', 'Subject'] },
  {
    address: '/rooms/salerio@conference.localhost',
    search: 'localhost',
    heads: ['Nickname', 'Account', 'Role', 'Affiliation'],
    label: 'Occupants',
    name: 'occupants.',
  },
  {
    address: '/rooms/salerio@conference.localhost',
    search: 'localhost',
    heads: ['Account', 'Affiliation'],
    label: 'Affiliations',
    name: 'affiliations.',
  },
  {
    address: '/users/salerio@localhost',
    search: 'localhost',
    heads: ['Address', 'Name', 'Subscription'],
    label: 'Contacts',
    name: 'roster.show.',
  },
  { address: '/operations/user.list', search: 'localhost', heads: ['Account', 'Sessions'], label: 'Result' },
  { address: '/store', search: 'kernel', heads: ['Table', 'Entries', 'Size'] },
  { address: '/about', search: 'a', heads: ['Name', 'Licence', 'Kind'] },
];

const rows = (list: Locator): Promise<string[]> =>
  list.locator('table tbody').last().locator('tr th, tr td:nth-child(3)').allTextContents();

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
  const room = 'salerio@conference.localhost';
  for (const [nick, person] of people.entries()) await person.enter(room, `merchant ${nick}`);
  await call(page, 'room.affiliate', { room, account: 'antonio@localhost', affiliation: 'member' });
  for (const contact of ['antonio', 'gratiano']) {
    const taken = { account: 'salerio@localhost', contact: `${contact}@localhost`, name: contact };
    await call(page, 'roster.add', taken);
  }
  for (const subject of ['argosies with portly sail', 'argosies on the ocean'])
    await call(page, 'announce.send', {
      domain: 'localhost',
      to: 'all',
      subject,
      text: 'Your mind is tossing',
    });

  for (const { address, search, heads, label, name = '' } of lists) {
    const which = `${address} ${label ?? ''}`;
    const list = label ? page.getByRole('region', { name: label, exact: true }) : page.locator('body');
    await page.goto(`${server.url}${address}?${name}limit=1`);
    await list.getByRole('searchbox').last().fill(search);
    await expect(page, which).toHaveURL(new RegExp(`${name}search=${search}`));
    const table = list.getByRole('table').last();
    for (const name of heads) {
      await expect(
        table.getByRole('columnheader', { name, exact: true }).getByRole('button'),
        `${which} by ${name}`,
      ).toBeVisible();
    }
    const last = table.getByRole('columnheader', { name: heads.at(-1), exact: true });
    await last.getByRole('button').click();
    await expect(last, which).toHaveAttribute('aria-sort', 'ascending');
    await last.getByRole('button').click();
    await expect(last, which).toHaveAttribute('aria-sort', 'descending');
    const next = list.getByRole('button', { name: 'Next' }).last();
    await expect(next, which).toBeEnabled();
    const first = await rows(list);
    await next.click();
    await expect(page, which).toHaveURL(new RegExp(`${name}after=`));
    await expect.poll(() => rows(list), often(which)).not.toEqual(first);
    const shown = await rows(list);
    expect(shown.length, which).toBe(2);
    await expect(page, which).toHaveURL(new RegExp(`${name}order=desc`));

    // Whoever gets the link loads all anew.
    const link = page.url();
    await page.goto('about:blank');
    await page.goto(link);
    await expect.poll(() => rows(list), often(which)).toEqual(shown);
    await expect(list.getByRole('searchbox').last(), which).toHaveValue(search);
    await expect(last, which).toHaveAttribute('aria-sort', 'descending');
    await list.getByRole('button', { name: 'First' }).click();
    await expect.poll(() => rows(list), often(which)).toEqual(first);
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

test('the way back to a list leads to what was looked at', async ({ console: page, server }) => {
  await createUser(page, 'shylock@localhost', 'let him look to his bond');
  await page.goto(`${server.url}/users?sort=created&order=desc`);
  await page.getByRole('searchbox').fill('shy');
  await expect(page).toHaveURL(/search=shy/);
  const looked = page.url();
  await page.getByRole('link', { name: 'shylock@localhost' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'shylock@localhost' })).toBeVisible();
  await page.locator('main').getByRole('link', { name: 'Users' }).click();
  await expect(page).toHaveURL(looked);
  await expect(page.getByRole('searchbox')).toHaveValue('shy');
  // The navigation leads to all of it.
  await page.locator('#navigation').getByRole('link', { name: 'Users' }).click();
  await expect(page).toHaveURL(`${server.url}/users`);
});

test('dates are those of the region, and are broken between day and hour at most', async ({
  console: page,
  server,
}) => {
  await createUser(page, 'tubal@localhost', 'one of them showed me a ring');
  await page.goto(`${server.url}/audit`);
  const when = page.locator('tbody time').first();
  await expect(when).toHaveText(/^\d{1,2} [A-Z][a-z]+ \d{4}, \d\d:\d\d:\d\d$/);
  const lines = await when.locator('span').evaluateAll((all) => all.map((it) => it.getClientRects().length));
  expect(lines).toEqual([1, 1]);
  await shoot(page, 'audit-dates');
});

test('a name turns nothing round but itself', async ({ console: page, server }) => {
  await createUser(page, 'tubal@localhost', 'one of them showed me a ring');
  await page.goto(`${server.url}/users`);
  const isolated = (it: Locator): Promise<string> => it.evaluate((it) => getComputedStyle(it).unicodeBidi);
  expect(await isolated(page.getByRole('link', { name: 'tubal@localhost' }))).toBe('isolate');
  await page.getByRole('link', { name: 'tubal@localhost' }).click();
  const title = page.getByRole('heading', { level: 1 }).getByText('tubal@localhost', { exact: true });
  expect(await isolated(title)).toBe('isolate');
});
