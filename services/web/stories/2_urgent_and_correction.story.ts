// The city command's urgent push: composed by one officer, confirmed by another on their own screen; and what was wrong is corrected.
import { afterAll, expect, test } from 'vitest';
import { city, eventually } from './city.ts';
import { curtain, Resident, Staff } from './cast.ts';
import { steps, urgentAlert } from './prepared.ts';

afterAll(curtain);

test('an urgent push goes out when a second officer has confirmed it, and not before', async () => {
  const [somebody] = await city.phones();
  const resident = await Resident.registers(somebody!.phone, somebody!.community);
  await resident.readsEverything();
  const [one, two] = [await Staff.signsIn('command.one'), await Staff.signsIn('command.two')];

  await one.opens('/urgent');
  const page = one.page;
  await page.getByRole('radio', { name: /实际/ }).check({ force: true });
  await page.getByRole('button', { name: /煮沸|饮水|水/ }).first().click();
  const blanks = page.locator('main .blanks input');
  for (let at = 0; at < (await blanks.count()); at += 1) await blanks.nth(at).fill('城西水厂');
  const fill = page.locator('main .blanks').getByRole('button').first();
  if (await fill.isVisible().catch(() => false)) await fill.click();
  await page.getByRole('option', { name: /渝中区/ }).or(page.getByRole('button', { name: /^渝中区/ })).or(page.getByRole('checkbox', { name: /渝中区/ })).first().click({ force: true });
  await one.sees(/最后一人 \d\d:\d\d/);
  await page.getByRole('button', { name: /提交紧急推送…/ }).click();
  const dialog = page.locator('dialog[open]');
  const label = (await dialog.locator('label').last().innerText()).replaceAll(',', '');
  await dialog.getByRole('textbox').last().fill('1');
  expect(await dialog.locator('button[type=submit]').isDisabled(), 'a wrong number sends nothing').toBe(true);
  await dialog.getByRole('textbox').last().fill(/(\d+)/.exec(label)![1]!);
  await dialog.locator('button[type=submit]').click();
  await dialog.waitFor({ state: 'hidden' });

  const token = await city.signIn('command.two');
  const [waiting] = await city.call<{ alert_id: string; headline: string }[]>('GET', 'alerts?state=awaiting_confirmation&limit=1', token);
  await one.opens(`/alerts/${waiting!.alert_id}`);
  await one.sees(/您提交的，您不能确认/);
  await two.opens(`/alerts/${waiting!.alert_id}`);
  await two.decides(/确认/, { typed: true });
  await resident.receives(waiting!.headline);
  await resident.acknowledges();
  for (const who of [one, two, resident]) await who.leaves();
});

test('a correction reaches whoever got the alert, and stands there as one', async () => {
  const [, somebody] = await city.phones();
  const resident = await Resident.registers(somebody!.phone, somebody!.community);
  await resident.readsEverything();
  const wrong = await urgentAlert('解放碑市场请勿前往', ['500103']);
  await resident.receives('解放碑市场请勿前往');
  await resident.acknowledges();

  const officer = await Staff.signsIn('command.one');
  await officer.opens(`/alerts/${wrong}`);
  await officer.decides(/^更正/, { reason: '地点应为朝天门市场' });
  await officer.page.waitForURL(/\/alerts\/[^/]+\/edit/);
  const headline = officer.page.getByLabel(/标题/).first();
  await headline.fill('朝天门市场请勿前往');
  await officer.page.getByRole('button', { name: /保存/ }).first().click();
  const correction = /alerts\/([^/]+)/.exec(officer.page.url())![1]!;
  const token = await city.signIn('command.one');
  await eventually('the correction is saved', async () => {
    const detail = await city.call<{ content: { texts: Record<string, { headline: string }> } }>('GET', `alerts/${correction}`, token);
    return detail.content.texts['zh-CN']!.headline === '朝天门市场请勿前往';
  });
  await steps(correction, [[token, 'compose_urgent'], [await city.signIn('command.two'), 'confirm']]);
  await resident.receives('朝天门市场请勿前往');
  expect(await resident.page.locator('dialog[open]').innerText()).toMatch(/更正/);
  await resident.acknowledges();
  for (const who of [officer, resident]) await who.leaves();
});
