// What citizens bring: a mother calls, an operator takes it down without a mouse, a second one checks it, two units deal with it, somebody else than its
// author decides, and she reads the answer by number and PIN. Whoever needs help without a network writes it down; it goes out when there is one.
import type { Locator, Page } from 'playwright-core';
import { afterAll, expect, test } from 'vitest';
import { city, eventually } from './city.ts';
import { curtain, openWindow, Staff } from './cast.ts';
import { looksAt } from './looks.ts';
import { Wire } from './wire.ts';

afterAll(curtain);

const PHONE = { width: 360, height: 740 };
const ENTRY = /^(\d{6}-\d{4}-\d{4}-\d)$/;

const LEAD = '渝中区疾病预防控制中心';
const ASSISTS = '解放碑社区卫生服务中心';

/** Takes a step on the page of a case. */
async function takes(who: Staff, number: string, step: string, fill: (dialog: Locator) => Promise<unknown> = async () => undefined): Promise<void> {
  await who.opens(`/casework/${number}`);
  await who.page.locator('main').getByRole('button', { name: step, exact: true }).first().click();
  const dialog = who.page.locator('dialog[open]');
  await dialog.waitFor();
  await fill(dialog);
  await dialog.locator('button[type=submit]').click();
  await who.provesWhereAsked(dialog);
  await who.sees(`${step}：已完成。`);
}

async function looksUp(page: Page, number: string, pin: string): Promise<void> {
  // an address of its own, so that the page is opened anew
  await page.goto(`${city.url}/app?at=${Date.now()}#/cases/look`);
  await page.getByLabel('编号').fill(number);
  await page.getByLabel('查询码').fill(pin);
  await page.getByRole('button', { name: '查询', exact: true }).click();
}

test('a mother calls, two units deal with it, and she is satisfied', async () => {
  await city.morning();
  const mother = (await city.phones())[9]!.phone;
  const operator = await Staff.signsIn('hotline.one');
  const { page } = operator;
  await operator.opens('/call');
  const wrong = await looksAt(page, 'console-call-desk-zh-CN');
  const keys = page.keyboard;
  const types = async (words: string) => (await keys.type(words), await keys.press('Tab'));
  await page.locator('main input').first().focus();
  await types(mother.replace('+86', ''));
  await types('李女士');
  await keys.press('Tab');
  await keys.press('2');
  expect(await page.getByRole('radio', { name: '投诉' }).isChecked(), 'a digit picks the kind').toBe(true);
  await keys.press('Tab');
  await types('某某社区卫生服务中心');
  await types('孩子发热三天，中心以系统故障为由不给开药');
  await keys.type('今天能看上病、拿到药');
  await page.getByText('没有以前的诉求。').waitFor();
  await keys.press('Control+Enter');
  await operator.sees('已登记，由另一位坐席核对。');
  const [number, spoken] = await page.locator('main section dd').allInnerTexts();
  expect(number).toMatch(ENTRY);
  const pin = spoken!.replace(/\D/g, '');
  wrong.push(...(await looksAt(page, 'console-call-taken-desk-zh-CN')));

  // whoever wrote it down does not check it
  await operator.opens(`/casework/${number}`);
  await page.getByText('现在不能做的，以及原因').click();
  await page.locator('details li').filter({ hasText: '核对通过' }).waitFor();
  const checker = await Staff.signsIn('hotline.two');
  await checker.opens('/casework?list=check');
  await checker.page.getByRole('link', { name: new RegExp(number!) }).click();
  await takes(checker, number!, '核对通过');
  await takes(checker, number!, '受理');
  await takes(checker, number!, '派单', async (dialog) => {
    await dialog.getByLabel('主办单位').selectOption({ label: LEAD });
    await dialog.getByLabel(ASSISTS, { exact: true }).check();
  });

  const handler = await Staff.signsIn('cdc.handler');
  await handler.opens('/casework');
  await handler.page.getByRole('link', { name: new RegExp(number!) }).waitFor();
  await takes(handler, number!, '签收');
  wrong.push(...(await looksAt(handler.page, 'console-case-desk-zh-CN')));
  await handler.page.getByText('为什么是这一天').first().click();
  await handler.page.getByText(/第 1 个工作日/).first().waitFor();

  // she sees who has it and until when
  const { page: phone, context, faults } = await openWindow(PHONE);
  await looksUp(phone, number!, pin);
  await phone.getByText('现在由谁办').waitFor();
  await phone.getByText(/最迟.*结束前/).waitFor();
  wrong.push(...(await looksAt(phone, 'app-case-phone-zh-CN')));

  const helper = await Staff.signsIn('clinic.handler', { size: PHONE });
  await takes(helper, number!, '完成协办', (dialog) => dialog.getByLabel('内容').fill('已联系系统厂商，故障排除'));
  wrong.push(...(await looksAt(helper.page, 'console-case-phone-zh-CN')));
  await takes(handler, number!, '提交结果', async (dialog) => {
    await dialog.getByLabel('办理情况和结论').fill('系统昨日已恢复，值班医生今日接诊并开药');
    await dialog.getByLabel('给群众的答复').fill('孩子今天已由值班医生接诊，药已取到；系统故障已排除。');
  });
  expect(await handler.page.getByRole('button', { name: '审定', exact: true }).count(), 'nobody decides what they wrote').toBe(0);
  const head = await Staff.signsIn('cdc.lead');
  await takes(head, number!, '审定');
  await takes(handler, number!, '答复');
  await handler.opens(`/casework/${number}/letter`);
  await handler.page.getByText('药已取到').waitFor();
  wrong.push(...(await looksAt(handler.page, 'console-letter-desk-zh-CN')));
  await eventually('she is told that there is an answer, and not what it says', async () => (await city.sms(mother)).some((text) => text.includes(number!) && !text.includes('药')));

  await looksUp(phone, number!, pin);
  await phone.getByText('药已取到').first().waitFor();
  await phone.getByRole('button', { name: '满意', exact: true }).click();
  await phone.getByText('感谢您的评价。').waitFor();
  await phone.getByText('已办结').first().waitFor();
  expect(faults).toEqual([]);
  await context.close();

  const supervisor = await Staff.signsIn('supervisor');
  await supervisor.opens('/supervision');
  await supervisor.sees('单位负荷');
  wrong.push(...(await looksAt(supervisor.page, 'console-supervision-desk-zh-CN')));
  expect(wrong).toEqual([]);
  for (const who of [operator, checker, handler, helper, head, supervisor]) await who.leaves();
});

test('help is asked for without a network, and its number stays until it was written down', async () => {
  await city.morning();
  const wire = await Wire.to(city.url);
  const { page, context, faults } = await openWindow(PHONE, { serviceWorkers: 'allow' });
  await page.goto(`${wire.url}/app#/cases`);
  await page.getByText('有事找我们').waitFor();
  await eventually('the app can start without a network', () => page.evaluate(async () => (await navigator.serviceWorker.getRegistration('/app/'))?.active?.state === 'activated'));
  const wrong = await looksAt(page, 'app-cases-phone-zh-CN');
  await page.getByRole('link', { name: /在这里求助/ }).click();
  await page.getByRole('button', { name: '缺药' }).click();
  await page.getByRole('button', { name: '下一步' }).click();
  await page.getByLabel('区县').selectOption('500103');
  await page.getByRole('button', { name: '下一步' }).click();
  await page.getByLabel('联系手机').fill('13900001234');
  wrong.push(...(await looksAt(page, 'app-case-contact-phone-zh-CN')));
  wire.cut();
  await page.getByRole('button', { name: '提交', exact: true }).click();
  await page.getByText(/还没有送出/).waitFor();
  await page.reload();
  await page.getByText(/还没有送出/).waitFor();
  wire.mend();
  await page.evaluate(() => dispatchEvent(new Event('online')));

  await page.getByRole('link', { name: '查看编号' }).click();
  const number = await page.locator('.number').innerText();
  const pin = (await page.locator('.pin').innerText()).replace(/\D/g, '');
  expect([number, pin.length]).toEqual([expect.stringMatching(ENTRY), 6]);
  wrong.push(...(await looksAt(page, 'app-case-number-phone-zh-CN')));
  await page.getByLabel(/最后 3 位/).fill(pin.slice(0, 3) === pin.slice(3) ? '0' : pin.slice(0, 3));
  await page.getByRole('button', { name: '已记下' }).click();
  await page.getByText(/不一致/).waitFor();
  await page.getByLabel(/最后 3 位/).fill(pin.slice(3));
  await page.getByRole('button', { name: '已记下' }).click();
  await page.getByText('有事找我们').waitFor();
  expect(await page.getByText(pin).count(), 'the device has forgotten the PIN').toBe(0);

  const operator = await Staff.signsIn('hotline.one');
  await operator.opens('/security');
  await operator.sees(/有人急需帮助，还没有人接/);
  await operator.opens('/casework?list=desk');
  expect(await operator.page.locator('[data-card]').first().innerText(), 'who needs help comes first').toContain('急需帮助');
  expect([wrong, faults]).toEqual([[], []]);
  await operator.leaves();
  await context.close();
  wire.remove();
});
