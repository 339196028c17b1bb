// Review in depth: a return that shows what changed, comments that know whether their words still stand, who reviews and who edits, many decided
// after reading each, what contradicts what is in force, and an alert found again by its code, with its whole story.
import { readFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { city, eventually } from './city.ts';
import { answersYes, curtain, Staff } from './cast.ts';
import { looksAt } from './looks.ts';
import { handedIn, steps, urgentAlert, type Detail } from './prepared.ts';

afterAll(curtain);

const stateOf = async (alert: string) => (await city.call<Detail>('GET', `alerts/${alert}`, await city.signIn('command.one'))).state;

/** Reads a page to its end, part by part, as people scroll. */
async function readsToTheEnd(who: Staff, within: string): Promise<void> {
  const ends = who.page.locator(`${within} [data-end]`);
  await ends.first().waitFor({ state: 'attached' });
  for (let at = 0; at < (await ends.count()); at += 1) {
    await ends.nth(at).evaluate((end) => end.scrollIntoView({ block: 'center' }));
    await who.page.waitForTimeout(120);
  }
}

test('a no goes back with its note, and what was changed since stands first when it comes again', async () => {
  await city.morning();
  const alert = await handedIn('集市关闭三天的提醒');
  const reviewer = await Staff.signsIn('review.500103');
  const { page } = reviewer;
  await reviewer.opens(`/alerts/${alert}`);
  await page.getByRole('button', { name: /^认领/ }).click();
  await reviewer.sees(/您正在审核，至/);

  const comments = page.getByRole('region', { name: /^批注/ });
  await comments.getByRole('button', { name: '写批注' }).click();
  await comments.getByRole('combobox').selectOption({ label: '请暂勿前往，去过者请自我观察。' });
  await comments.getByLabel('批注').fill('请写明观察几天');
  await comments.getByRole('button', { name: '发表批注' }).click();
  await page.getByRole('region', { name: '批注（1 条未解决）' }).waitFor();

  await answersYes(page);
  const second = page.locator('main .checklist [role=radiogroup]').nth(1);
  await second.locator('input[value=no]').check();
  expect(await page.getByRole('button', { name: /^审核通过/ }).isDisabled(), 'with a no it only goes back').toBe(true);
  await second.getByRole('textbox').fill('日期与记录不一致');
  await page.getByRole('button', { name: /^退回/ }).click();
  const dialog = page.locator('dialog[open]');
  expect(await dialog.getByRole('textbox').inputValue(), 'the reason begins with what was wrong').toContain('日期与记录不一致');
  await dialog.locator('button[type=submit]').click();
  await dialog.waitFor({ state: 'hidden' });
  expect(await stateOf(alert)).toBe('draft');

  const unit = await Staff.signsIn('unit.centre');
  await unit.opens(`/alerts/${alert}/edit`);
  await unit.sees('已被退回，请修改');
  await unit.page.getByLabel(/措施要求（中文）/).fill('请暂勿前往，去过者请自我观察七天。');
  await unit.page.getByRole('button', { name: '保存草稿' }).click();
  await unit.sees('已保存。');
  await unit.sees('这段文字已改');
  await unit.page.getByRole('button', { name: '标为已解决' }).click();
  await unit.sees('没有未解决的批注。');
  await unit.page.getByRole('button', { name: '提交审核' }).click();
  await unit.page.locator('main h1').filter({ hasText: '集市关闭三天的提醒' }).waitFor();

  await reviewer.opens(`/alerts/${alert}`);
  const changed = page.getByRole('region', { name: '退回后再次提交' });
  await changed.locator('ins').filter({ hasText: '七天' }).first().waitFor();
  expect(await changed.innerText()).toContain('日期与记录不一致');
  expect(await looksAt(page, 'console-returned-desk-zh-CN')).toEqual([]);
  await readsToTheEnd(reviewer, 'main');
  await page.keyboard.press('y');
  await eventually('the rest are yes', async () => (await page.locator('main .checklist').getByText('已全部回答').count()) === 1);
  await page.keyboard.press('a');
  await dialog.locator('button[type=submit]').click();
  await dialog.waitFor({ state: 'hidden' });
  expect(await stateOf(alert)).toBe('city_review');
  for (const who of [reviewer, unit]) await who.leaves();
});

test('who reviews and who edits is seen by the others at once, and locks nobody out', async () => {
  const alert = await handedIn('两人同时审核的提醒');
  await steps(alert, [[await city.signIn('review.500103'), 'pass_district']]);
  const [one, two] = [await Staff.signsIn('command.one'), await Staff.signsIn('command.two')];
  await one.opens(`/alerts/${alert}`);
  await one.page.getByRole('button', { name: /^认领/ }).click();
  await one.sees(/您正在审核，至/);
  await two.opens(`/alerts/${alert}`);
  await two.sees(/（市级指挥部）.*正在审核，至/);
  await one.sees(/（市级指挥部）正在查看/);
  await two.page.getByRole('button', { name: /^接手/ }).click();
  await two.sees(/您正在审核，至/);
  await one.sees(/已接手审核/);
  await answersYes(one.page);
  await one.page.getByRole('button', { name: /^批准/ }).click();
  const dialog = one.page.locator('dialog[open]');
  expect(await dialog.locator('button[type=submit]').isDisabled(), 'somebody else reviews it: that has to be known').toBe(true);
  await dialog.getByRole('checkbox').first().check();
  await eventually('then it goes', async () => dialog.locator('button[type=submit]').isEnabled());
  await dialog.getByRole('button', { name: '不，返回' }).click();

  await steps(alert, [[await city.signIn('command.two'), 'return_city', '请写明市场名称']]);
  const [unit, reviewer] = [await Staff.signsIn('unit.centre'), await Staff.signsIn('review.500103')];
  await unit.opens(`/alerts/${alert}/edit`);
  await reviewer.opens(`/alerts/${alert}/edit`);
  await reviewer.sees(/（报送单位）正在编辑/);
  for (const who of [one, two, unit, reviewer]) await who.leaves();
});

test('many are decided together once each was read to its end, and one that asks for more stops no other', async () => {
  const names = ['并列审核的提醒甲', '并列审核的提醒乙', '并列审核的提醒丙'];
  const alerts: string[] = [];
  for (const name of names) alerts.push(await handedIn(name));
  const reviewer = await Staff.signsIn('review.500103');
  const { page } = reviewer;
  await reviewer.opens('/');
  await page.getByRole('button', { name: /^并列审核 \d+ 条/ }).click();
  const dialog = page.locator('dialog[open]').first();
  const row = (name: string) => dialog.locator('ul.rows > li').filter({ hasText: name });
  const opened = async (name: string) => {
    const head = row(name).locator('button.head');
    if ((await head.getAttribute('aria-expanded')) === 'false') await head.click();
    await row(name).locator('.inside:not([hidden]) .previews').waitFor();
  };
  for (const [at, name] of names.entries()) {
    await opened(name);
    const pass = row(name).getByRole('button', { name: '审核通过', exact: true });
    if (at === 0) expect(await pass.isDisabled(), 'nothing is decided that was not read').toBe(true);
    if (at === 0) expect(await looksAt(page, 'console-review-many-desk-zh-CN')).toEqual([]);
    await readsToTheEnd(reviewer, 'dialog[open] .inside:not([hidden])');
    await eventually('it was read to its end', async () => row(name).getByRole('button', { name: '退回', exact: true }).isEnabled());
    if (at === 2) {
      await row(name).getByRole('button', { name: '退回', exact: true }).click();
      await row(name).getByRole('button', { name: '来源不清楚' }).click();
      continue;
    }
    await row(name).getByRole('button', { name: /^其余均为/ }).click();
    await pass.click();
  }
  // what its author remarks meanwhile has to be known, of that one alone
  const unit = await city.signIn('unit.centre');
  const { version } = await city.call<Detail>('GET', `alerts/${alerts[1]}`, unit);
  await city.call('POST', `alerts/${alerts[1]}/comments`, unit, { version, text: '地点请再核实' });
  const submits = async () => {
    await dialog.getByRole('button', { name: /^提交 \d 条决定…/ }).click();
    await dialog.getByRole('button', { name: /^确认提交/ }).click();
  };
  await submits();
  await dialog.getByText('，1 条未成功，原因见各条').waitFor();
  expect(await stateOf(alerts[1]!)).toBe('district_review');
  await row(names[1]!).getByRole('checkbox').first().check();
  await submits();
  await eventually('that one goes as well', async () => (await stateOf(alerts[1]!)) === 'city_review');
  expect(await stateOf(alerts[0]!)).toBe('city_review');
  expect(await stateOf(alerts[2]!)).toBe('draft');
  await reviewer.leaves();
});

test('what contradicts an alert in force is shown with its link, and has to be known', async () => {
  await urgentAlert('请留在家中等待通知', ['500103'], { category: 'safety' });
  const against = await handedIn('请立即撤离到安置点', { category: 'safety' });
  await steps(against, [[await city.signIn('review.500103'), 'pass_district']]);
  const officer = await Staff.signsIn('command.two');
  await officer.opens(`/alerts/${against}`);
  const panel = officer.page.getByRole('region', { name: '同一地区的其他弹窗' });
  await panel.waitFor();
  await panel.getByRole('link', { name: /请留在家中等待通知/ }).first().waitFor();
  await officer.leaves();
});

test('an alert is found by its code, kept in a view, exported, and told from its first step to its last', async () => {
  const sent = await urgentAlert('查找得到的饮水提醒', ['500103']);
  const { short_code } = await city.call<Detail>('GET', `alerts/${sent}`, await city.signIn('command.one'));
  const officer = await Staff.signsIn('command.one');
  const { page } = officer;
  await officer.opens('/settings');
  await page.keyboard.press('/');
  await page.keyboard.type(short_code);
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: '查找得到的饮水提醒' }).waitFor();
  await page.getByRole('button', { name: '保存为视图…' }).click();
  await page.locator('dialog[open]').getByLabel(/名称/).fill('我要找的');
  await page.locator('dialog[open] button[type=submit]').click();
  await officer.opens('/alerts');
  await page.getByRole('link', { name: '我要找的' }).click();
  await page.getByRole('link', { name: '查找得到的饮水提醒' }).first().waitFor();
  await page.getByRole('button', { name: '导出…' }).click();
  await page.getByRole('button', { name: /\.csv/ }).click();
  const [file] = await Promise.all([page.waitForEvent('download'), page.locator('dialog[open]').getByRole('button', { name: '导出', exact: true }).click()]);
  expect(readFileSync((await file.path())!, 'utf8')).toContain(short_code);
  const wrong: string[] = [];
  for (const tongue of ['zh-CN', 'en']) {
    for (const [name, path] of [['story', `/alerts/${sent}/story`], ['glossary', '/glossary'], ['acts', '/acts'], ['alerts', `/alerts?q=${short_code}`]] as const) {
      await officer.opens(`${path}${path.includes('?') ? '&' : '?'}lang=${tongue}`);
      wrong.push(...(await looksAt(page, `console-in-depth-${name}-desk-${tongue}`)));
    }
  }
  expect(wrong).toEqual([]);
  await officer.leaves();
});
