// An urgent push that was wrong: one officer asks for it to be withdrawn, another confirms, and whoever had it is told, within a few presses. One that
// may be wrong is stopped by one alone, and goes on when it was right. One that is over is cleared.
import { afterAll, expect, test } from 'vitest';
import type { Locator } from 'playwright-core';
import { city, eventually } from './city.ts';
import { curtain, Resident, Staff } from './cast.ts';
import { looksAt } from './looks.ts';
import { urgentAlert, type Detail } from './prepared.ts';

afterAll(curtain);

/** Shows the code of the demo if a step wants a fresh proof; until what it leads to is there. */
async function proved(who: Staff, done: Locator): Promise<void> {
  const code = who.page.locator('dialog[open] input[autocomplete=one-time-code]');
  await eventually('the step is taken', async () => {
    if (await code.isVisible()) await code.fill((await city.account(who.login)).code ?? '', { timeout: 1000 }).catch(() => {});
    return done.isVisible();
  });
}
const stateOf = async (alert: string) => (await city.call<Detail>('GET', `alerts/${alert}`, await city.signIn('command.one'))).state;

test('a false urgent push is withdrawn by two officers with three presses and two, and whoever had it is told so', async () => {
  await city.morning();
  const somebody = (await city.phones())[0]!;
  const resident = await Resident.registers(somebody.phone, somebody.community);
  await resident.readsEverything();
  const headline = '请立即撤离沿江低洼地带';
  const wrong = await urgentAlert(headline, [somebody.community.slice(0, 6)]);
  await resident.receives(headline);
  await resident.acknowledges();

  const [one, two] = [await Staff.signsIn('command.one'), await Staff.signsIn('command.two')];
  await two.opens('/settings');
  await one.opens(`/alerts/${wrong}`);
  let presses = 0;
  const press = (what: Locator) => ((presses += 1), what.click());
  await press(one.page.getByRole('link', { name: '撤回…' }));
  await one.sees('收到的人会看到');
  expect(await one.page.getByRole('button', { name: /请第二人确认撤回/ }).isDisabled(), 'residents are told why').toBe(true);
  await press(one.page.getByText('误发', { exact: true }));
  // the prepared words say it before anybody is asked
  await one.page.locator('.bubble').filter({ hasText: '误发' }).waitFor();
  await press(one.page.getByRole('button', { name: /请第二人确认撤回/ }));
  await proved(one, one.page.getByText(/您.*请求撤回，等待另一位人员确认/));
  expect(presses).toBeLessThanOrEqual(3);
  expect(await one.page.getByRole('button', { name: /确认撤回，立即告知/ }).count(), 'nobody confirms what they asked for').toBe(0);
  expect(await stateOf(wrong), 'nobody is told before a second officer confirms').toBe('active');

  // the second is on another page, and notices
  const bar = two.page.getByRole('complementary', { name: '紧急待办' });
  await bar.filter({ hasText: headline }).waitFor();
  expect(await two.page.title()).toMatch(/^\(\d+\+?\) /);
  let answers = 0;
  const answer = (what: Locator) => ((answers += 1), what.click());
  await answer(bar.getByRole('link', { name: /去处理/ }));
  await two.sees(/市指挥部.*请求撤回|请求撤回。/);
  await answer(two.page.getByRole('button', { name: '确认撤回，立即告知' }));
  await proved(two, two.page.getByText('已确认，正在告知收到的人。'));
  expect(answers).toBeLessThanOrEqual(3);
  await one.sees('已确认，正在告知收到的人。');
  // what was taken rings no more, whatever else does
  await two.page.goBack();
  await two.page.locator('main h1').filter({ hasText: '时段与限额' }).waitFor();
  await bar.filter({ hasText: headline }).waitFor({ state: 'hidden' });

  await resident.receives(headline);
  const told = await resident.page.locator('dialog[open]').innerText();
  expect(told).toMatch(/提醒已撤回/);
  expect(told).toContain('误发');
  await resident.acknowledges();
  expect(await stateOf(wrong)).toBe('cancelled');
  for (const who of [one, two, resident]) await who.leaves();
});

test('what may be wrong is stopped by one alone, and goes on once the second has found it right', async () => {
  const somebody = (await city.phones())[1]!;
  const resident = await Resident.registers(somebody.phone, somebody.community);
  await resident.readsEverything();
  const headline = '请暂时不要前往城南集市';
  const alert = await urgentAlert(headline, [somebody.community.slice(0, 6)]);
  await resident.receives(headline);
  await resident.acknowledges();
  const before = (await city.sms(somebody.phone)).length;

  const [one, two] = [await Staff.signsIn('command.one'), await Staff.signsIn('command.two')];
  await one.opens(`/alerts/${alert}`);
  await one.page.getByRole('button', { name: '停止推送' }).click();
  const dialog = one.page.locator('dialog[open]');
  await dialog.getByRole('button', { name: '地点或范围有误' }).click();
  await dialog.locator('button[type=submit]').click();
  await proved(one, one.page.getByText('已停止推送，正在核实').first());

  await resident.page.goto(`${city.url}/app#/alerts/${alert}`);
  await eventually('who has it reads that it is being checked', async () => {
    await resident.page.evaluate(() => dispatchEvent(new Event('focus')));
    return resident.page.getByText(/正在核实，结论出来前请仍按原要求做/).first().isVisible();
  });
  expect((await city.sms(somebody.phone)).length, 'nobody is sent anything new').toBe(before);

  await two.opens(`/alerts/${alert}/retraction`);
  await two.page.getByRole('button', { name: '不同意…' }).click();
  const refusal = two.page.locator('dialog[open]');
  await refusal.getByLabel(/理由/).fill('现场已核实，地点无误');
  await refusal.getByRole('checkbox').check();
  await refusal.locator('button[type=submit]').click();
  await two.provesWhereAsked();
  await one.opens(`/alerts/${alert}/retraction`);
  await one.sees('现场已核实，地点无误');
  const detail = await city.call<Detail & { held_at: string | null }>('GET', `alerts/${alert}`, await city.signIn('command.one'));
  expect([detail.state, detail.held_at]).toEqual(['active', null]);
  for (const who of [one, two, resident]) await who.leaves();
});

test('what is over is cleared, and the page says who may do it now', async () => {
  const somebody = (await city.phones())[2]!;
  const resident = await Resident.registers(somebody.phone, somebody.community);
  await resident.readsEverything();
  const headline = '请将城北供水煮沸后饮用';
  const alert = await urgentAlert(headline, [somebody.community.slice(0, 6)]);
  await resident.receives(headline);
  await resident.acknowledges();

  const [one, two] = [await Staff.signsIn('command.one'), await Staff.signsIn('command.two', { tongue: 'en' })];
  await one.opens(`/alerts/${alert}/retraction?kind=all_clear`);
  await one.page.getByRole('button', { name: '检测合格，可以恢复' }).click();
  await one.page.getByRole('button', { name: /请第二人确认解除/ }).click();
  await proved(one, one.page.getByText(/您.*请求解除，等待另一位人员确认/));
  const plan = one.page.getByRole('region', { name: '处置方案' });
  await plan.getByText('现在谁可以确认').waitFor();
  expect(await plan.innerText()).toContain('在线');
  await two.opens(`/alerts/${alert}/retraction`);
  await two.page.getByRole('button', { name: /Confirm the all-clear/ }).click();
  await proved(two, two.page.getByText('Confirmed: those who had it are being told.'));
  await resident.receives(headline);
  expect(await resident.page.locator('dialog[open]').innerText()).toMatch(/提醒已解除/);
  await resident.acknowledges();
  expect(await stateOf(alert)).toBe('all_clear');
  for (const who of [one, two, resident]) await who.leaves();
});

for (const [size, view] of Object.entries({ desk: { width: 1280, height: 800 }, phone: { width: 360, height: 740 } })) {
  for (const tongue of ['zh-CN', 'en']) {
    test(`the words that end an alert on a ${size} in ${tongue}`, async () => {
      const alert = await urgentAlert(`供人观看的提醒 ${size} ${tongue === 'en' ? '二' : '一'}`, ['500105']);
      const officer = await Staff.signsIn('command.one', { size: view, tongue });
      const wrong: string[] = [];
      for (const kind of ['withdraw', 'correct', 'all_clear']) {
        await officer.opens(`/alerts/${alert}/retraction?kind=${kind}`);
        await officer.page.getByRole('tabpanel').first().waitFor();
        wrong.push(...(await looksAt(officer.page, `console-retraction-${kind}-${size}-${tongue}`)));
      }
      await officer.opens(`/alerts/${alert}/playbook`);
      wrong.push(...(await looksAt(officer.page, `console-playbook-${size}-${tongue}`)));
      await officer.opens(`/alerts/${alert}`);
      wrong.push(...(await looksAt(officer.page, `console-alert-retractable-${size}-${tongue}`)));
      expect(wrong).toEqual([]);
      await officer.leaves();
    });
  }
}
