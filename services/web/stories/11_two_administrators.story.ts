// A new officer: one administrator proposes the account, another confirms it, and the officer sets a password and a second factor that
// neither knows.
import { afterAll, expect, test } from 'vitest';
import { city } from './city.ts';
import { curtain, openWindow, Staff } from './cast.ts';
import { enrolsApp } from './factors.ts';

afterAll(curtain);

const LOGIN = 'command.new';

test('an account takes two administrators and its owner, who looks on for a day', async () => {
  const [one, two] = [await Staff.signsIn('admin'), await Staff.signsIn('admin.two', { tongue: 'en' })];
  await one.opens('/staff');
  await one.page.getByRole('button', { name: '添加账号' }).click();
  const form = one.page.locator('dialog[open]');
  await form.getByLabel('账号').fill(LOGIN);
  await form.getByLabel('姓名或岗位').fill('市指挥部·新值班');
  await form.getByLabel('角色').selectOption('city_command_officer');
  await form.getByRole('button', { name: '提交确认' }).click();
  const first = await form.locator('code').innerText();
  await form.getByRole('button', { name: '关闭' }).last().click();

  await two.opens('/');
  await two.sees('1 changes of accounts or keys wait for you to confirm.');
  await two.opens('/proposals');
  await two.sees(LOGIN);
  await two.page.getByRole('button', { name: /Confirm/ }).first().click();
  const question = two.page.locator('dialog[open]');
  await question.getByText('Its owner sets a password').waitFor();
  await question.getByRole('button', { name: 'Confirm' }).click();
  const second = await question.locator('code').innerText();
  expect(second).not.toBe(first);
  await two.leaves();
  await one.opens('/staff');
  await one.page.getByLabel('查找').fill(LOGIN);
  await one.sees('待本人设置密码');
  await one.leaves();

  const { page, context, faults } = await openWindow();
  await page.goto(`${city.url}/console?lang=zh-CN`);
  await page.getByRole('button', { name: /设置自己的密码/ }).click();
  await page.getByLabel('账号').fill(LOGIN);
  await page.getByLabel('启用码第一段').fill(first);
  await page.getByLabel('启用码第二段').fill(second);
  const chosen = page.locator('input[autocomplete=new-password]');
  for (const at of [0, 1]) await chosen.nth(at).fill('beacon tower at dusk');
  await page.getByRole('button', { name: '设置密码并继续' }).click();
  await enrolsApp(page);
  await page.getByText(/您的账号新建、变更或重置后须等待/).waitFor();
  await page.goto(`${city.url}/console/security`);
  await page.getByText('本次登录').waitFor();
  expect(faults).toEqual([]);
  await context.close();
});
