// The second factor: a new officer makes a passkey, is in again with three actions, proves it again before an urgent push, and loses the device.
import { afterAll, expect, test } from 'vitest';
import { city } from './city.ts';
import { answersYes, curtain, openWindow } from './cast.ts';
import { App, Device, enrolsApp, isIn, keepsRecoveryCodes, mayActAtOnce, newAccount, setsPassword } from './factors.ts';
import { looksAt } from './looks.ts';
import { content, steps, type Detail } from './prepared.ts';

afterAll(curtain);

/** Browsers give passkeys to a page with a name, and on this machine that is this one. */
const CONSOLE = `${city.url.replace('127.0.0.1', 'localhost')}/console`;
const PHONE = { width: 360, height: 740 };
const PASSWORD = 'beacon tower at dusk';
const passkeyButton = { name: '用通行密钥登录' };

test('a passkey is made once, signs in with three actions, and is shown again before an urgent push', async () => {
  const owner = await newAccount('command.passkey', '市指挥部·通行密钥', 'city_command_officer', 'city');
  const { page, context, faults } = await openWindow();
  const device = await Device.of(page);
  const wrong: string[] = [];

  await page.goto(`${CONSOLE}?lang=zh-CN`);
  await setsPassword(page, owner, PASSWORD);
  wrong.push(...(await looksAt(page, 'second-factor-choose-desk-zh-CN')));
  // nothing else can be done before, and a reload leads here again
  await page.goto(`${CONSOLE}/urgent`);
  await page.locator('.choices button').first().click();
  wrong.push(...(await looksAt(page, 'second-factor-passkey-desk-zh-CN')));
  await device.touchedFor(
    () => page.getByRole('button', { name: '创建通行密钥' }).click(),
    () => page.locator('.recovery').waitFor(),
  );
  wrong.push(...(await looksAt(page, 'second-factor-codes-desk-zh-CN')));
  expect(await page.locator('.recovery button').last().isDisabled(), 'one goes on after saying that the codes are kept').toBe(true);
  expect(new Set(await keepsRecoveryCodes(page)).size).toBe(10);
  await isIn(page);
  await page.locator('main h1').filter({ hasText: '紧急推送' }).waitFor();

  await page.getByRole('button', { name: '退出', exact: true }).click();
  await page.getByRole('button', passkeyButton).waitFor();
  await page.goto('about:blank');
  let actions = 0;
  const acts = (what: Promise<unknown>) => ((actions += 1), what);
  // the name field offers passkeys by itself: what it asks must stand before the finger is near, or it is answered without anything pressed
  const offered = page.waitForResponse((answer) => answer.url().endsWith('/passkey/challenge'));
  await acts(page.goto(CONSOLE));
  await offered;
  await page.waitForTimeout(500);
  const before = device.shown;
  await device.touchedFor(
    async () => acts(page.getByRole('button', passkeyButton).click()),
    () => isIn(page),
  );
  actions += device.shown - before;
  expect(device.shown - before, 'the device was touched').toBe(1);
  expect(actions, 'open, press, touch').toBeLessThanOrEqual(3);

  await mayActAtOnce(owner.login);
  const one = await city.signIn('command.one');
  const { alert_id } = await city.call<Detail>('POST', 'alerts', one, { content: await content('通行密钥确认的紧急推送'), audience: { query: { include: [{ areas: ['500103'] }] } } });
  await steps(alert_id, [[one, 'compose_urgent']]);
  const state = async () => (await city.call<Detail>('GET', `alerts/${alert_id}`, await city.signIn('command.one'))).state;
  await page.goto(`${CONSOLE}/alerts/${alert_id}`);
  const step = page.locator('main').getByRole('button', { name: /确认/ }).first();
  await step.waitFor();
  // the proof of the sign-in is old by now
  await city.forward(6);
  await answersYes(page);
  await step.click();
  const question = page.locator('dialog[open]').first();
  const typed = question.getByRole('textbox').last();
  const people = /(\d+)/.exec((await question.locator('label').last().innerText()).replaceAll(',', ''))![1]!;
  await typed.fill(people);
  await question.locator('button[type=submit]').click();
  const proof = page.locator('dialog[open]').filter({ hasText: '请再次证明是您本人' });
  await proof.waitFor();
  wrong.push(...(await looksAt(page, 'second-factor-again-desk-zh-CN')));
  await page.keyboard.press('Escape');
  await proof.waitFor({ state: 'hidden' });
  await question.getByText('没有做任何改动').waitFor();
  expect(await typed.inputValue(), 'what was typed stands there').toBe(people);
  expect(await state(), 'nothing was sent').toBe('awaiting_confirmation');
  await question.locator('button[type=submit]').click();
  await device.touchedFor(
    () => proof.getByRole('button', { name: '用通行密钥验证' }).click(),
    () => page.locator('dialog[open]').first().waitFor({ state: 'hidden' }),
  );
  expect(await state()).not.toBe('awaiting_confirmation');

  expect(wrong).toEqual([]);
  expect(faults).toEqual([]);
  await context.close();
});

test('who lost the device is in with a recovery code, and replaces what is lost, on a phone', async () => {
  const owner = await newAccount('review.lost', '渝中区·丢手机', 'district_reviewer', 'district:500103');
  const { page, context, faults } = await openWindow(PHONE);
  const device = await Device.of(page);
  const wrong: string[] = [];
  await page.goto(`${CONSOLE}?lang=zh-CN`);
  wrong.push(...(await looksAt(page, 'second-factor-sign-in-phone-zh-CN')));
  await setsPassword(page, owner, PASSWORD);
  await page.locator('.choices button').first().click();
  await device.touchedFor(
    () => page.getByRole('button', { name: '创建通行密钥' }).click(),
    () => page.locator('.recovery').waitFor(),
  );
  wrong.push(...(await looksAt(page, 'second-factor-codes-phone-zh-CN')));
  const codes = await keepsRecoveryCodes(page);
  await isIn(page);
  await page.getByRole('button', { name: '退出', exact: true }).click();
  await device.lost();

  await page.getByLabel('账号').fill(owner.login);
  await page.getByLabel('密码').fill(PASSWORD);
  await page.getByRole('button', { name: '登录', exact: true }).click();
  await page.getByRole('button', { name: '用恢复码' }).click();
  await page.getByLabel('恢复码').fill('aaaaa-aaaaa-aaaaa');
  await page.getByRole('button', { name: '验证', exact: true }).click();
  await page.getByText('恢复码不正确，或已经用过').waitFor();
  wrong.push(...(await looksAt(page, 'second-factor-recovery-phone-zh-CN')));
  await page.getByLabel('恢复码').fill(codes[0]!.toUpperCase().replaceAll('-', ' '));
  await page.keyboard.press('Enter');
  await isIn(page);
  await page.getByText('您用了一个恢复码，还剩 9 个').waitFor();

  await page.goto(`${CONSOLE}/security`);
  await page.getByText('这是唯一的一种，不能删除').waitFor();
  await page.getByRole('button', { name: '添加验证方式' }).click();
  await page.locator('.choices button').last().click();
  wrong.push(...(await looksAt(page, 'second-factor-app-phone-zh-CN')));
  // the tab is gone while one looks into the app: it goes on with the same secret
  const secret = page.locator('form li code');
  const app = new App((await secret.innerText()).replace(/\s/g, ''));
  await page.reload();
  expect((await secret.innerText()).replace(/\s/g, '')).toBe(app.secret);
  const field = page.locator('input[autocomplete=one-time-code]');
  await field.fill('000000');
  await page.getByText('动态码不正确或已过期').waitFor();
  expect(await field.evaluate((input) => input === document.activeElement), 'the field keeps the focus').toBe(true);
  await field.fill(await app.shows());
  const sheet = page.getByRole('table', { name: '验证方式' });
  await sheet.getByText('验证器应用').waitFor();
  await sheet.getByRole('row').filter({ hasText: '通行密钥' }).getByRole('button', { name: /删除/ }).click();
  await page.locator('dialog[open]').getByRole('button', { name: '删除' }).click();
  await sheet.getByText('通行密钥').waitFor({ state: 'detached' });
  wrong.push(...(await looksAt(page, 'second-factor-security-phone-zh-CN')));

  await page.getByRole('button', { name: '退出', exact: true }).click();
  await page.getByLabel('账号').fill(owner.login);
  await page.getByLabel('密码').fill(PASSWORD);
  await page.getByRole('button', { name: '登录', exact: true }).click();
  await field.fill(await app.shows());
  await page.getByText('这个动态码已经用过').waitFor();
  wrong.push(...(await looksAt(page, 'second-factor-code-phone-zh-CN')));
  await field.fill(await app.next());
  await isIn(page);
  expect(wrong).toEqual([]);
  expect(faults).toEqual([]);
  await context.close();
});

test('all of it is done with the keyboard alone', async () => {
  const { scope } = await city.call<{ scope: string }>('GET', 'session', await city.signIn('community.centre'));
  const owner = await newAccount('community.keys', '键盘社区', 'community_worker', scope);
  const { page, context, faults } = await openWindow(PHONE);
  const keys = page.keyboard;
  /** Goes on with Tab until this has the focus. */
  const reaches = async (what: string, selector: string) => {
    for (let presses = 0; presses < 60; presses += 1) {
      if (await page.evaluate((selector) => document.activeElement?.matches(selector), selector)) return;
      await keys.press('Tab');
    }
    throw new Error(`the keyboard does not reach ${what}`);
  };
  await page.goto(`${CONSOLE.replace('localhost', '127.0.0.1')}?lang=zh-CN`);
  await setsPassword(page, owner, PASSWORD);
  const { app } = await enrolsApp(page);
  await isIn(page);
  await page.getByRole('button', { name: '退出', exact: true }).click();
  await page.getByLabel('账号').waitFor();

  await reaches('the name', 'input[autocomplete^=username]');
  await keys.type(owner.login);
  await reaches('the password', 'input[type=password]');
  await keys.type(PASSWORD);
  await keys.press('Enter');
  const field = page.locator('input[autocomplete=one-time-code]');
  await field.waitFor();
  await keys.type(await app.next());
  await isIn(page);

  await page.goto(`${CONSOLE.replace('localhost', '127.0.0.1')}/security`);
  const renew = page.getByRole('button', { name: '重新生成十个' });
  await renew.waitFor();
  await city.forward(6);
  await renew.focus();
  await keys.press('Enter');
  await page.locator('dialog[open]').waitFor();
  await keys.press('Escape');
  await page.locator('dialog[open]').waitFor({ state: 'detached' });
  await page.getByText('没有做任何改动').waitFor();
  expect(await renew.evaluate((button) => button === document.activeElement), 'the focus is where it was').toBe(true);
  await keys.press('Enter');
  await page.locator('dialog[open]').waitFor();
  await keys.type(await app.next());
  await page.locator('.recovery').waitFor();
  await reaches('the tick', '.recovery input[type=checkbox]');
  await keys.press('Space');
  await reaches('what goes on', '.recovery > button');
  await keys.press('Enter');
  await page.locator('.recovery').waitFor({ state: 'detached' });
  expect(faults).toEqual([]);
  await context.close();
});
