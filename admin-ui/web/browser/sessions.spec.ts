import { createUser, expect, shoot, test } from './console';
import { Person } from './person';

test('a client is seen, told something, watched and sent away', async ({ console: page, server }) => {
  await createUser(page, 'juliet@localhost', 'wherefore');
  await createUser(page, 'romeo@localhost', 'but soft');
  const juliet = await Person.connect(server, 'juliet@localhost', 'wherefore', 'balcony');
  const romeo = await Person.connect(server, 'romeo@localhost', 'but soft', 'garden', true);

  await page.goto(`${server.url}/sessions?sort=jid`);
  const row = page.getByRole('row').filter({ hasText: 'juliet@localhost/balcony' });
  await expect(row).toContainText('argosy.example');
  await expect(row).toContainText('TLSv1.3');
  const third = await Person.connect(server, 'romeo@localhost', 'but soft', 'wall');
  await expect(page.getByRole('row').filter({ hasText: 'romeo@localhost/wall' })).toBeVisible();
  await third.leave();
  await expect(page.getByRole('row').filter({ hasText: 'romeo@localhost/wall' })).toHaveCount(0);
  await page.getByRole('link', { name: 'juliet@localhost/balcony' }).click();
  for (const group of ['Client', 'Connection', 'Security', 'Stream'])
    await expect(page.getByRole('heading', { name: group, exact: true })).toBeVisible();
  await shoot(page, 'session');
  await page.getByRole('button', { name: 'Send a message' }).click();
  await page.getByRole('dialog').getByLabel('Message').fill('The server rests at noon.');
  await page.getByRole('dialog').getByRole('button', { name: 'Send a message' }).click();
  await juliet.hears('The server rests at noon.');

  await page.getByRole('link', { name: 'Watch its stanzas' }).click();
  await expect(page.getByText('Live', { exact: true })).toBeVisible();
  await romeo.say('juliet@localhost', 'call me but love');
  await juliet.hears('call me but love');
  const seen = page
    .getByRole('list', { name: 'Stanzas' })
    .getByRole('group')
    .filter({ hasText: 'message' })
    .first();
  await expect(seen).toBeVisible();
  await seen.click();
  await expect(page.locator('pre').first()).toContainText('<message');
  await expect(page.locator('main')).not.toContainText('call me but love');

  await page.getByRole('button', { name: 'Unlock what is said' }).click();
  await page.getByRole('dialog').getByLabel('Reason').fill('a test');
  await page.getByRole('dialog').getByRole('button', { name: 'Unlock what is said' }).click();
  await expect(page.getByText('You can read what people say until')).toBeVisible();
  await page.getByRole('button', { name: 'Clear' }).click();
  await expect(page.getByText('Live', { exact: true })).toBeVisible();
  await romeo.say('juliet@localhost', 'henceforth I never will be Romeo');
  await juliet.hears('henceforth I never will be Romeo');
  await page
    .getByRole('list', { name: 'Stanzas' })
    .getByRole('group')
    .filter({ hasText: 'message' })
    .first()
    .click();
  await expect(page.locator('main')).toContainText('henceforth I never will be Romeo');

  await page.goto(`${server.url}/audit`);
  await expect(page.getByText(/see the text of stanzas.*a test/)).toBeVisible();
  await page.goto(`${server.url}/sessions`);
  await page.getByRole('button', { name: 'End: juliet@localhost/balcony' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Go on' }).click();
  await expect(page.getByText('The session is ended.')).toBeVisible();
  await juliet.leave();
  await romeo.leave();
});
