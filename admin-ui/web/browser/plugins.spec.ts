import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createUser, expect, shoot, test } from './console';
import { Person } from './person';

const ID = 'xylem.version';

/** The package as it is, and as it would be with another version of the same length. */
function packages(folder: string): { old: string; next: string } {
  const old = join(process.env.XYLEM_PLUGINS ?? '', `${ID}.wasm`);
  const bytes = readFileSync(old);
  const at = bytes.indexOf('version = "0.1.0"');
  if (at < 0) throw new Error('the manifest is not where it was');
  bytes.write('version = "0.1.9"', at);
  const next = join(folder, `${ID}.wasm`);
  writeFileSync(next, bytes);
  return { old, next };
}

test('a plugin is removed, installed, configured, used, upgraded and rolled back', async ({
  console: page,
  server,
}, info) => {
  info.setTimeout(300_000);
  const { old, next } = packages(info.outputPath());
  await createUser(page, 'juliet@localhost', 'wherefore');
  const juliet = await Person.connect(server, 'juliet@localhost', 'wherefore');

  await page.goto(`${server.url}/plugins/${ID}`);
  await page.getByRole('button', { name: 'Remove plugin' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Remove plugin' }).click();
  await page
    .getByRole('dialog')
    .getByLabel(/To confirm/)
    .fill(ID);
  await page.getByRole('button', { name: 'Go on' }).click();
  await expect(page).toHaveURL(`${server.url}/plugins`);
  await expect(juliet.os('localhost')).rejects.toThrow();

  await page.getByRole('button', { name: 'Install from a file' }).click();
  await page.getByLabel('Package (.wasm)').setInputFiles(old);
  await expect(page.getByText('What it may do')).toBeVisible();
  await page.getByRole('button', { name: 'Install', exact: true }).click();
  await expect(page.getByText(`${ID} is installed.`)).toBeVisible();

  await page.goto(`${server.url}/plugins/${ID}`);
  await page.getByRole('textbox', { name: 'os' }).fill('Plan 9');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('The plugin is configured.')).toBeVisible();
  await expect.poll(() => juliet.os('localhost').catch(() => null)).toBe('Plan 9');
  await shoot(page, 'plugin');

  // Where it is on there is nothing to enable, and the other way round.
  await expect(page.getByRole('button', { name: 'Enable: localhost', exact: true })).toHaveCount(0);
  await page.getByRole('button', { name: 'Disable: localhost', exact: true }).click();
  await shoot(page, 'plugin-disable');
  await page.getByRole('dialog').getByRole('button', { name: 'Go on' }).click();
  await expect(page.getByRole('button', { name: 'Disable: localhost', exact: true })).toHaveCount(0);
  await expect.poll(() => juliet.os('localhost').catch(() => null)).toBe(null);
  await page.getByRole('button', { name: 'Enable: localhost', exact: true }).click();
  await expect.poll(() => juliet.os('localhost').catch(() => null)).toBe('Plan 9');

  await page.getByRole('button', { name: 'Upgrade from a file' }).click();
  await page.getByLabel('Package (.wasm)').setInputFiles(next);
  await expect(page.getByText('Replaces version 0.1.0')).toBeVisible();
  await page.getByRole('button', { name: 'Upgrade', exact: true }).click();
  await expect(page.getByText(`${ID} is upgraded.`)).toBeVisible();
  await expect(page.getByText('0.1.9', { exact: true })).toBeVisible();
  await expect.poll(() => juliet.os('localhost').catch(() => null)).toBe('Plan 9');

  await page.getByRole('button', { name: 'Back to the version before' }).click();
  await expect(page.locator('dd').getByText('0.1.0', { exact: true })).toBeVisible();
  await expect.poll(() => juliet.os('localhost').catch(() => null)).toBe('Plan 9');
  await juliet.leave();
});

test('a time is shown, checked and set as people write it', async ({ console: page, server }) => {
  await page.goto(`${server.url}/plugins/xylem.mam`);
  const age = page.getByRole('textbox', { name: 'max age' });
  await expect(age).toHaveValue('0s');
  await age.fill('30');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Write a time such as')).toBeVisible();
  await age.fill('720h');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('The plugin is configured.')).toBeVisible();
  await expect(age).toHaveValue('30d');
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(age).toHaveValue('0s');

  // Of what nobody touched nothing is said.
  const told = await page.evaluate(async () => {
    const answer = await fetch('/api/v1/audit?search=xylem.mam');
    const { items } = (await answer.json()) as { items: { arguments: { options: object } }[] };
    return items.map((it) => it.arguments.options);
  });
  expect(told).toEqual([{ max_age: null }, { max_age: '720h' }]);
});
