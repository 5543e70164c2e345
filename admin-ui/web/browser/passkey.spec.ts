import { expect, findings, shoot, test } from './console';
import { ADMIN, PASSWORD } from './server';

test('a passkey is made, signs in, and is taken away again', async ({ page, server, context }, info) => {
  info.setTimeout(300_000);
  const chromium = await context.newCDPSession(page);
  await chromium.send('WebAuthn.enable');
  const { authenticatorId } = await chromium.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  const held = async (): Promise<number> =>
    (await chromium.send('WebAuthn.getCredentials', { authenticatorId })).credentials.length;

  // Passkeys belong to a name; browsers make none for an address.
  const home = `https://localhost:${new URL(server.url).port}`;
  await page.goto(home);
  await page.getByLabel('Address').fill(ADMIN);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Overview' })).toBeVisible();

  await page.goto(`${home}/me`);
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('What to call it').fill('Key ring');
  await dialog.getByLabel('Your password, once more').fill('not this');
  await dialog.getByRole('button', { name: 'Add a passkey' }).click();
  await expect(dialog.getByRole('alert')).toBeVisible();
  expect(await held(), 'nothing is made for a wrong password').toBe(0);
  await dialog.getByLabel('Your password, once more').fill(PASSWORD);
  await dialog.getByRole('button', { name: 'Add a passkey' }).click();
  await expect(page.getByRole('heading', { name: 'Recovery codes' })).toBeVisible();
  await expect(page.locator('.codes li')).toHaveCount(10);
  expect(await held()).toBe(1);
  expect(await findings(page)).toEqual([]);
  await shoot(page, 'me-codes');
  const code = (await page.locator('.codes li').first().textContent()) ?? '';
  await page.getByRole('button', { name: 'I have kept them' }).click();
  await expect(page.getByText('Key ring')).toBeVisible();
  await shoot(page, 'me-passkey');

  const leave = async (): Promise<void> => {
    await page.getByLabel('You and this console').click();
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await page.getByLabel('Address').fill(ADMIN);
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page.getByRole('button', { name: 'Use the passkey' })).toBeVisible();
  };
  await leave();
  expect(await findings(page)).toEqual([]);
  await shoot(page, 'signin-passkey');
  await page.getByRole('button', { name: 'Use the passkey' }).click();
  await expect(page.locator('#navigation')).toBeAttached();

  // Another authenticator does not know the key: the password alone lets nobody in.
  await chromium.send('WebAuthn.clearCredentials', { authenticatorId });
  await leave();
  await page.getByRole('button', { name: 'Use the passkey' }).click();
  await expect(page.getByRole('alert')).toBeVisible();
  await expect(page.locator('#navigation')).toHaveCount(0);

  // Who has lost the key has the codes.
  await page.getByRole('button', { name: 'Use a code instead' }).click();
  await page.getByLabel('Code from your app, or a recovery code').fill(code);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.locator('#navigation')).toBeAttached();
  await page.goto(`${home}/me`);
  await expect(page.getByText('9 recovery codes are left.')).toBeVisible();
  await page.getByRole('button', { name: 'Remove: Key ring' }).click();
  await dialog.getByLabel('Your password, once more').fill(PASSWORD);
  await dialog.getByRole('button', { name: 'Remove' }).click();
  await expect(page.getByText('Key ring')).toHaveCount(0);
});
