// A console that lies open: what a colleague decides meanwhile is said with their name and can be decided no more, something new is counted in the
// tab, an address that leads nowhere has a way on, what failed is there again by itself, and at night it is dark.
import { afterAll, expect, test } from 'vitest';
import { city, eventually } from './city.ts';
import { answersYes, curtain, openWindow, Staff } from './cast.ts';
import { looksAt } from './looks.ts';
import { handedIn, steps } from './prepared.ts';
import { Wire } from './wire.ts';

afterAll(curtain);

test('what a colleague has decided is said with their name, and nothing dead is left to press', async () => {
  const alert = await handedIn('同时打开的提醒');
  await steps(alert, [[await city.signIn('review.500103'), 'pass_district']]);
  const officer = await Staff.signsIn('command.two');
  await officer.opens(`/alerts/${alert}`);
  const approve = officer.page.locator('main').getByRole('button', { name: /批准/ }).first();
  await approve.waitFor();
  await answersYes(officer.page);
  await approve.click();
  await officer.page.locator('dialog[open]').waitFor();

  await steps(alert, [[await city.signIn('command.one'), 'return_city', '请写明市场名称']]);
  await officer.sees(/（市级指挥部）已退回。/);
  await officer.sees('请写明市场名称');
  expect(await officer.page.locator('dialog[open]').count(), 'the question has gone').toBe(0);
  expect(await approve.count(), 'and so has its button').toBe(0);
  await officer.leaves();
});

test('something new is counted in the menu and the tab of whatever page lies open', async () => {
  const reviewer = await Staff.signsIn('review.500103');
  await reviewer.opens('/rules');
  const waiting = async () => Number(/^\((\d+)/.exec(await reviewer.page.title())?.[1] ?? 0);
  await eventually('what waits is counted', async () => (await reviewer.page.title()).includes('规则'));
  const before = await waiting();
  await handedIn('标签页里数到的提醒');
  if (before < 99) await eventually('one more waits', async () => (await waiting()) === before + 1, 20);
  await reviewer.page.locator('nav#menu').getByRole('link', { name: /待办.*件等您处理/ }).waitFor();
  await reviewer.opens('/security');
  await reviewer.page.getByRole('button', { name: '打开声音' }).click();
  await reviewer.page.getByRole('button', { name: '关闭声音' }).waitFor();
  await reviewer.page.reload();
  await reviewer.page.getByRole('button', { name: '关闭声音' }).waitFor();
  await reviewer.leaves();
});

test('whoever looks elsewhere is notified, once they have switched it on, and once for each thing', async () => {
  const reviewer = await Staff.signsIn('review.500103');
  const { page } = reviewer;
  // the browser's own notifications, written down; and somebody who looks at another window
  await page.addInitScript(() => {
    const told: string[] = [];
    class Told {
      static permission = 'default';
      static requestPermission = async () => (Told.permission = 'granted');
      constructor(title: string, { body, tag }: { body: string; tag: string }) {
        told.push(`${title} | ${body} | ${tag}`);
      }
      addEventListener() {}
      close() {}
    }
    Object.assign(window, { told, Notification: Told });
    document.hasFocus = () => false;
  });
  const told = () => page.evaluate(() => (window as unknown as { told: string[] }).told);
  await reviewer.opens('/security');
  await page.getByRole('button', { name: '打开通知' }).click();
  await page.getByRole('button', { name: '关闭通知' }).waitFor();
  await page.locator('nav#menu').getByRole('link', { name: /规则/ }).click();
  await page.locator('main h1').filter({ hasText: '规则' }).waitFor();
  expect(await told(), 'what waited before is no news').toEqual([]);
  const alert = await handedIn('通知里读到的提醒');
  const [first] = await eventually('a notification', async () => ((await told()).length ? told() : null), 30);
  expect(first).toContain('初审：通知里读到的提醒');
  expect(first).toContain(alert);
  await city.call('GET', `alerts/${alert}`, await city.signIn('review.500103'));
  expect((await told()).filter((one) => one.includes(alert))).toHaveLength(1);
  await reviewer.leaves();
});

test('an address that leads nowhere has a way on, and what failed is there again by itself', async () => {
  const officer = await Staff.signsIn('command.one');
  const wrong: string[] = [];
  for (const path of ['/nonsense', '/alerts/01900000-0000-7000-8000-000000000000']) {
    await officer.opens(path);
    await officer.page.locator('main h1').filter({ hasText: '没有这个页面' }).waitFor();
    await officer.page.locator('main').getByRole('link', { name: '回到待办' }).waitFor();
    wrong.push(...(await looksAt(officer.page, `console-missing${path.length}-desk-zh-CN`)));
  }
  expect(wrong).toEqual([]);
  await officer.leaves();

  const wire = await Wire.to(city.url);
  const { page, context, faults } = await openWindow();
  await page.goto(`${wire.url}/console?lang=zh-CN`);
  const account = await city.account('auditor');
  await page.getByLabel('账号').fill(account.login);
  await page.getByLabel('密码').fill(account.password);
  const menu = page.locator('nav#menu');
  await eventually('the auditor is signed in', async () => {
    await page.getByRole('button', { name: '登录', exact: true }).click({ timeout: 1000 }).catch(() => {});
    const code = page.locator('input[autocomplete=one-time-code]');
    if (account.code && (await code.isVisible())) await code.fill(account.code).catch(() => {});
    return menu.isVisible();
  });
  await page.goto(`${wire.url}/console/jobs`);
  await page.locator('main h1').first().waitFor();
  wire.cut();
  await page.locator('nav#menu').getByRole('link', { name: /^弹窗/ }).click();
  await page.getByText(/连接不上平台/).first().waitFor();
  wire.mend();
  const retry = page.getByRole('button', { name: '重试' });
  await eventually('the page is there again, by itself or at a press', async () => {
    if (await page.getByRole('table', { name: /弹窗列表/ }).isVisible()) return true;
    if (await retry.first().isVisible()) await retry.first().click({ timeout: 1000 }).catch(() => {});
    return false;
  }, 60);
  expect(faults).toEqual([]);
  wire.remove();
  await context.close();
});

test('what is printed is the page, without what only works on a screen', async () => {
  const alert = await handedIn('供存档打印的提醒');
  const reviewer = await Staff.signsIn('review.500103');
  await reviewer.opens(`/alerts/${alert}`);
  await reviewer.sees('自动检查没有发现问题');
  await reviewer.page.emulateMedia({ media: 'print' });
  const { page } = reviewer;
  await page.locator('main h1').filter({ hasText: '供存档打印的提醒' }).waitFor();
  await page.getByText(/烽火 · .*年.*月.*日/).first().waitFor();
  for (const gone of [page.locator('nav#menu'), page.locator('header.bar'), page.locator('main').getByRole('button', { name: /审核通过/ })]) expect(await gone.isVisible()).toBe(false);
  await reviewer.leaves();
});

for (const tongue of ['zh-CN', 'en']) {
  test(`at night in ${tongue} every page can be read`, async () => {
    const alert = await handedIn(`夜里的提醒${tongue === 'en' ? '二' : '一'}`);
    const reviewer = await Staff.signsIn('review.500103', { tongue });
    await reviewer.opens('/security');
    await reviewer.page.getByRole('button', { name: tongue === 'en' ? /^Dark/ : /^深色/ }).click();
    expect(await reviewer.page.evaluate(() => document.documentElement.dataset['shade'])).toBe('dark');
    const wrong: string[] = [];
    for (const [name, path] of [['security', '/security'], ['home', '/'], ['review', `/alerts/${alert}`], ['alerts', '/alerts'], ['story', `/alerts/${alert}/story`], ['glossary', '/glossary'], ['sources', '/sources'], ['feedback', '/feedback'], ['follow-ups', '/community'], ['settings', '/settings'], ['rules', '/rules'], ['write', '/alerts/new']] as const) {
      await reviewer.opens(path);
      wrong.push(...(await looksAt(reviewer.page, `console-night-${name}-desk-${tongue}`)));
    }
    expect(wrong).toEqual([]);
    await reviewer.leaves();
  });
}
