// A list that is unlike what its source usually brings waits: nothing of it counts before a reviewer, on a phone, has released it; and one that was a
// mistake is discarded, with a reason that its sender reads.
import { afterAll, expect, test } from 'vitest';
import { city } from './city.ts';
import { curtain, Staff } from './cast.ts';

afterAll(curtain);

interface Report { load_id: string; accepted: number; held?: { state: string } | null }

/** Rows about places, which name nobody and match no rule. */
function rows(name: string, count: number, now: Date): Record<string, unknown>[] {
  const occurred_at = new Date(now.getTime() - 3_600_000).toISOString();
  return Array.from({ length: count }, (_, at) => ({ source_id: `${name}-${at}`, kind: 'analysis_finding', occurred_at, level: 'low', subject: { place: '500103' }, district: '500103' }));
}

test('a list of ten times the rows waits for a reviewer, and one that was a mistake never counts', async () => {
  await city.morning();
  const unit = await city.signIn('unit.centre');
  const deliver = async (name: string, count: number) => city.call<Report>('POST', 'records', unit, rows(name, count, await city.now()));
  for (let day = 0; day < 5; day += 1) expect((await deliver(`usual-${day}`, 20)).held ?? null).toBeNull();
  const right = await deliver('right', 1200);
  const wrong = await deliver('wrong', 1300);
  expect([right.accepted, right.held?.state, wrong.held?.state]).toEqual([0, 'waiting', 'waiting']);

  const reviewer = await Staff.signsIn('review.500103', { size: { width: 360, height: 740 } });
  await reviewer.sees(/2 份名单与来源平时不同/);
  await reviewer.opens('/sources');
  const { page } = reviewer;
  const list = (size: number) => page.getByRole('listitem').filter({ hasText: `约 ${size} 行` }).filter({ has: page.getByRole('button') }).first();
  await list(1200).getByRole('button', { name: /放行/ }).focus();
  await page.keyboard.press('Enter');
  await page.locator('dialog[open]').getByRole('button', { name: /已核实/ }).click();
  await list(1200).waitFor({ state: 'hidden' });
  await list(1300).getByRole('button', { name: /作废/ }).click();
  await page.locator('dialog[open]').getByLabel(/原因/).fill('误传了去年的名单');
  await page.locator('dialog[open]').getByRole('button', { name: '作废', exact: true }).click();
  await list(1300).waitFor({ state: 'hidden' });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  await reviewer.leaves();

  const sender = await Staff.signsIn('unit.centre');
  await sender.opens(`/sources/${wrong.load_id}`);
  await sender.sees('误传了去年的名单');
  await sender.opens(`/sources/${right.load_id}`);
  await sender.sees('曾等待放行，已放行。');
  await sender.leaves();
  expect((await city.call<Report>('GET', `loads/${right.load_id}`, unit)).accepted).toBe(1200);
});
