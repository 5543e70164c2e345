import { createHmac } from 'node:crypto';
import { createUser, expect, findings, shoot, test } from './console';

const ACCOUNT = 'jessica@localhost';
const PASSWORD = 'i am never merry when i hear sweet music';

test('a user who lost the second factor is let in again by an owner', async ({
  console: page,
  server,
  browser,
}, info) => {
  info.setTimeout(240_000);
  await createUser(page, ACCOUNT, PASSWORD);
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: 'en-GB' });
  const hers = await context.newPage();
  const signIn = async (): Promise<void> => {
    await hers.goto(server.url);
    await hers.getByLabel('Address').fill(ACCOUNT);
    await hers.getByLabel('Password').fill(PASSWORD);
    await hers.getByRole('button', { name: 'Sign in' }).click();
  };
  await signIn();
  await expect(hers.locator('#navigation')).toBeAttached();
  await hers.goto(`${server.url}/me`);
  await hers.getByRole('button', { name: 'Add an app' }).click();
  await hers.getByRole('dialog').getByLabel('Your password, once more').fill(PASSWORD);
  await hers.getByRole('dialog').getByRole('button', { name: 'Add an app' }).click();
  const code = hers.getByLabel('Code', { exact: true });
  await expect(code).toBeVisible();
  expect(await findings(hers)).toEqual([]);
  await shoot(hers, 'me-app');
  const secret = (await hers.locator('form code').first().textContent()) ?? '';
  await code.fill(codeOf(secret.replaceAll(' ', '')));
  await hers.getByRole('button', { name: 'Confirm' }).click();
  await expect(hers.getByRole('heading', { name: 'Recovery codes' })).toBeVisible();

  // Another browser knows the password, and is asked for more.
  await context.clearCookies();
  await signIn();
  await expect(hers.getByLabel('Code from your app, or a recovery code')).toBeVisible();
  await hers.getByLabel('Code from your app, or a recovery code').fill('000000');
  await hers.getByRole('button', { name: 'Sign in' }).click();
  await expect(hers.getByRole('alert')).toBeVisible();

  await page.goto(`${server.url}/users/${ACCOUNT}`);
  await expect(page.getByText('Authenticator app')).toBeVisible();
  await shoot(page, 'user-factors');
  await page.getByRole('button', { name: 'Reset second factors' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Go on' }).click();
  await expect(page.getByText('The password alone is enough to sign in to this console.')).toBeVisible();
  await page.goto(`${server.url}/audit?search=factor`);
  await expect(page.getByRole('row').filter({ hasText: ACCOUNT }).first()).toBeVisible();

  await signIn();
  await expect(hers.locator('#navigation')).toBeAttached();
  await context.close();
});

/** What an app shows for a secret now (RFC 6238 §4, with the defaults of RFC 4226 §5.3). */
function codeOf(secret: string): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const digest = createHmac('sha1', base32(secret)).update(counter).digest();
  const at = (digest.at(-1) ?? 0) & 0xf;
  return String((digest.readUInt32BE(at) & 0x7fff_ffff) % 1_000_000).padStart(6, '0');
}

function base32(text: string): Buffer {
  const bits = [...text].map((it) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(it).toString(2).padStart(5, '0'),
  );
  return Buffer.from(
    bits
      .join('')
      .match(/.{8}/g)
      ?.map((byte) => parseInt(byte, 2)) ?? [],
  );
}
