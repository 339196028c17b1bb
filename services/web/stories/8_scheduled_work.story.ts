// The operator sees what the platform does on time, and has a job done at once, by the keyboard.
import { afterAll, expect, test } from 'vitest';
import { city } from './city.ts';
import { curtain, Staff } from './cast.ts';

afterAll(curtain);

test('a job that the operator runs tells how it went, and the history says who asked for it', async () => {
  const operator = await Staff.signsIn('operator');
  await operator.opens('/jobs');
  const row = operator.page.getByRole('row', { name: /短信的回执/ });
  await row.getByText('每小时第 40 分').waitFor();
  const run = row.getByRole('button', { name: /立即运行/ });
  await run.focus();
  await operator.page.keyboard.press('Enter');
  const told = operator.page.getByRole('status').filter({ hasText: '已完成' });
  await told.waitFor();
  expect(await told.innerText()).toMatch(/删除等不到短信的回执.*用时 \d+/s);

  await row.getByRole('link').click();
  await operator.page.locator('main h1').filter({ hasText: '删除等不到短信的回执' }).waitFor();
  await operator.page.getByRole('row').filter({ hasText: '您要求' }).getByText('已完成').waitFor();
  await operator.leaves();

  const trace = await city.call<{ entries: { object: string }[] }>('GET', 'audit/entries?action=job.run', await city.signIn('auditor'));
  expect(trace.entries[0]?.object).toBe('sms.forget_receipts');
});

test('who only reads the table has nothing to press', async () => {
  const administrator = await Staff.signsIn('admin');
  await administrator.opens('/jobs');
  await administrator.sees('推送台账按月保存');
  expect(await administrator.page.getByRole('button', { name: /立即运行/ }).count()).toBe(0);
  await administrator.leaves();
});
