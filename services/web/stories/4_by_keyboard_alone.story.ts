// A reviewer without a mouse: from the queue to the decision.
import { afterAll, expect, test } from 'vitest';
import { city } from './city.ts';
import { curtain, Staff } from './cast.ts';
import { handedIn } from './prepared.ts';

afterAll(curtain);

test('a review is done with the keyboard alone', async () => {
  const passed = await handedIn('键盘审核的提醒');
  const reviewer = await Staff.signsIn('review.500103');
  const { page } = reviewer;
  const keys = page.keyboard;
  await page.getByText('键盘审核的提醒').first().waitFor();
  await page.locator('main h1').first().focus().catch(() => undefined);
  for (let tries = 0; tries < 40; tries += 1) {
    await keys.press('j');
    if (await page.evaluate(() => document.activeElement?.textContent?.includes('键盘审核的提醒'))) break;
  }
  await keys.press('Enter');
  await page.locator('main h1').filter({ hasText: '键盘审核的提醒' }).waitFor();
  // whoever decides has seen what there is to decide
  await reviewer.sees('自动检查没有发现问题');
  const checks = await page.locator('main .checklist [role=radiogroup]').count();
  expect(checks).toBeGreaterThan(0);
  for (let check = 1; check <= checks; check += 1) await keys.press(String(check));
  expect(await page.locator('main .checklist input[value=yes]:checked').count()).toBe(checks);
  await keys.press('a');
  const dialog = page.locator('dialog[open]');
  await dialog.waitFor();
  for (let tries = 0; tries < 12; tries += 1) {
    if (await dialog.locator('button[type=submit]').evaluate((button) => button === document.activeElement)) break;
    await keys.press('Tab');
  }
  await keys.press('Enter');
  await dialog.waitFor({ state: 'hidden' });
  const token = await city.signIn('command.one');
  expect((await city.call<{ state: string }>('GET', `alerts/${passed}`, token)).state).toBe('city_review');

  const returned = await handedIn('键盘退回的提醒');
  await reviewer.opens(`/alerts/${returned}`);
  await reviewer.sees('自动检查没有发现问题');
  await keys.press('r');
  await dialog.waitFor();
  for (let tries = 0; tries < 12; tries += 1) {
    if (await page.evaluate(() => document.activeElement?.tagName === 'TEXTAREA')) break;
    await keys.press('Tab');
  }
  await keys.type('请写明市场名称');
  for (let tries = 0; tries < 12; tries += 1) {
    if (await dialog.locator('button[type=submit]').evaluate((button) => button === document.activeElement)) break;
    await keys.press('Tab');
  }
  await keys.press('Enter');
  await dialog.waitFor({ state: 'hidden' });
  expect((await city.call<{ state: string }>('GET', `alerts/${returned}`, token)).state).toBe('draft');
  await reviewer.leaves();
});
