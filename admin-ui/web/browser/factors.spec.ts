import { createHmac } from 'node:crypto';
import type { Locator } from '@playwright/test';
import jsQR from 'jsqr';
import { call, createUser, expect, findings, shoot, test } from './console';
import { Person } from './person';

const ACCOUNT = 'jessica@localhost';
const PASSWORD = 'i am never merry when i hear sweet music';

test('a user who lost the second factor is let in again by an owner', async ({
  console: page,
  server,
  browser,
}, info) => {
  info.setTimeout(240_000);
  await createUser(page, ACCOUNT, PASSWORD);
  await call(page, 'user.role', { account: ACCOUNT, role: 'administrator' });
  const client = await Person.connect(server, ACCOUNT, PASSWORD);
  const commands = (): Promise<string> =>
    client.command('localhost', 'user.reset', { account: 'x@localhost' });
  expect(await commands()).toContain('x@localhost');
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
  const shown = (await hers.locator('form code').first().textContent()) ?? '';
  const secret = shown.replaceAll(' ', '');
  const picture = hers.getByRole('img', { name: 'QR code' });
  const link = await hers.getByRole('link', { name: 'Open in an app' }).getAttribute('href');
  for (const colorScheme of ['light', 'dark'] as const) {
    await hers.emulateMedia({ colorScheme });
    expect(await scanned(picture), colorScheme).toBe(link);
  }
  expect(new URL(link ?? '').searchParams.get('secret')).toBe(secret);
  await code.fill(codeOf(secret));
  await hers.getByRole('button', { name: 'Confirm' }).click();
  await expect(hers.getByRole('heading', { name: 'Recovery codes' })).toBeVisible();

  // XMPP asks for the password alone, and that is not enough now.
  expect(await commands()).toContain('second factor');
  await client.leave();

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
  const sure = page.getByRole('dialog', { name: `Reset second factors: ${ACCOUNT}` });
  await sure.getByRole('textbox').fill(ACCOUNT);
  await sure.getByRole('button', { name: 'Go on' }).click();
  await expect(page.getByText('The password alone is enough to sign in to this console.')).toBeVisible();
  await page.goto(`${server.url}/audit?search=factor`);
  await expect(page.getByRole('row').filter({ hasText: ACCOUNT }).first()).toBeVisible();

  await signIn();
  await expect(hers.locator('#navigation')).toBeAttached();
  await context.close();
});

/** What a camera reads from what is on the screen. */
async function scanned(picture: Locator): Promise<string | undefined> {
  const seen = await picture.screenshot();
  const { width, height, pixels } = await picture.evaluate(async (_, base64) => {
    const bytes = Uint8Array.from(atob(base64), (it) => it.charCodeAt(0));
    // Not by an address: the policy allows none of those that hold data.
    const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    const { width, height } = image;
    const drawing = new OffscreenCanvas(width, height).getContext('2d');
    drawing?.drawImage(image, 0, 0);
    return { width, height, pixels: [...(drawing?.getImageData(0, 0, width, height).data ?? [])] };
  }, seen.toString('base64'));
  return jsQR(Uint8ClampedArray.from(pixels), width, height, { inversionAttempts: 'dontInvert' })?.data;
}

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
