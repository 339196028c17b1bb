// What an alert leaves with a person: they see why, on what evidence, until when and what lifts it; they object; their community sees that it waits,
// their district lifts it after a check, and it is gone on their phone. The auditor sees the counts, and who was named without a record.
import { afterAll, expect, test } from 'vitest';
import { city, eventually } from './city.ts';
import { curtain, Resident, Staff } from './cast.ts';
import { looksAt } from './looks.ts';
import { steps } from './prepared.ts';

afterAll(curtain);

type Line = { alert_id: string; headline: string; state: string };

/** A close contact, reported, gathered and approved: the alert that names them. */
async function contactOf(phone: string): Promise<Line> {
  const [unit, command, reviewer] = [await city.signIn('unit.centre'), await city.signIn('command.one'), await city.signIn('review.500103')];
  const waiting = () => city.call<Line[]>('GET', 'alerts?state=district_review&limit=200', command);
  const known = new Set((await waiting()).map((line) => line.alert_id));
  const occurred_at = new Date((await city.now()).getTime() - 3_600_000).toISOString();
  await city.call('POST', 'records', unit, [{ source_id: `standing-${phone.slice(-6)}`, kind: 'close_contact', occurred_at, level: 'high', subject: { phone }, district: '500103', attributes: { isolation_site: '渝中区集中隔离点' } }]);
  await eventually('the rule gathers', async () => (await city.call<{ records: number }[]>('GET', 'rules/drafts', command)).some((draft) => draft.records >= 1));
  await city.forward(6);
  const alert = await eventually('the draft is an alert', async () => (await waiting()).find((line) => !known.has(line.alert_id)));
  await steps(alert.alert_id, [[reviewer, 'pass_district'], [command, 'approve']]);
  return alert;
}

test('a close contact sees why it is they, objects, and is free once their district has checked', async () => {
  await city.morning();
  const somebody = (await city.phones())[7]!;
  const home = (await city.call<{ scope: string }>('GET', 'session', await city.signIn('community.centre'))).scope.replace('community:', '');
  const resident = await Resident.registers(somebody.phone, home);
  await resident.readsEverything();
  const alert = await contactOf(somebody.phone);
  await resident.receives(alert.headline);
  await resident.acknowledges();
  const { page } = resident;

  const card = page.locator('a[href="#/standings"]').filter({ hasText: '密切接触者' });
  await eventually('what is asked of them stands in the inbox', async () => {
    await page.evaluate(() => dispatchEvent(new Event('focus')));
    return card.first().isVisible();
  });
  await card.first().click();
  const standing = page.getByRole('article', { name: '密切接触者' }).first();
  await standing.waitFor();
  for (const word of [/现在有效/, /到 .* 为止/, /为什么是我/, /密切接触记录/, /来源：/, /怎样解除/, /咨询/]) await standing.getByText(word).first().waitFor();
  // as whoever comes by the address: what the looks into the inbox above have asked for is over then
  await page.reload();
  await standing.getByText(/怎样解除/).first().waitFor();
  const wrong = await looksAt(page, 'app-standing-phone-zh-CN');

  await standing.getByRole('button', { name: /我要提出异议/ }).click();
  await standing.getByLabel(/哪里不对/).fill('我当天在外地，没有去过那里');
  await standing.getByRole('button', { name: '提出异议', exact: true }).click();
  await standing.getByText(/前由另一个单位答复/).waitFor();
  expect(await standing.getByRole('button', { name: /提出异议/ }).count(), 'one objection waits at a time').toBe(0);

  const worker = await Staff.signsIn('community.centre', { size: { width: 360, height: 740 } });
  await worker.opens('/standings');
  const mine = worker.page.locator('li.card').filter({ hasText: '有异议等待答复' }).first();
  await mine.waitFor();
  expect(await worker.page.locator('main').innerText(), 'nobody is named before it is asked for').not.toContain(somebody.phone.slice(-8));
  wrong.push(...(await looksAt(worker.page, 'console-standings-phone-zh-CN')));
  await mine.getByText(/由所在区县.*解除/).waitFor();
  expect(await mine.getByRole('button', { name: /^解除/ }).count(), 'the rule lets the district lift it, not the community').toBe(0);
  expect(await worker.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);

  const reviewer = await Staff.signsIn('review.500103');
  await reviewer.opens('/standings');
  await reviewer.page.locator('li.card').filter({ hasText: '有异议等待答复' }).first().getByRole('button', { name: /^解除/ }).click();
  const dialog = reviewer.page.locator('dialog[open]');
  await dialog.getByRole('button', { name: '核实后与本人无关' }).click();
  await dialog.locator('button[type=submit]').click();
  await reviewer.sees(/已解除，本人会收到通知/);

  await page.reload();
  await page.getByRole('article', { name: '密切接触者' }).first().getByText('工作人员核实后解除').waitFor();
  await page.getByText('现在没有针对您个人的要求。').waitFor();
  await page.goto(`${city.url}/app#/said`);
  await page.getByText('我当天在外地，没有去过那里').waitFor();

  const auditor = await Staff.signsIn('auditor');
  await auditor.opens('/standings');
  await auditor.page.getByRole('row', { name: /密切接触者/ }).first().waitFor();
  wrong.push(...(await looksAt(auditor.page, 'console-standings-audit-desk-zh-CN')));
  await auditor.page.getByRole('link', { name: '没有记录、由人点名的弹窗' }).click();
  await auditor.page.locator('main h1').filter({ hasText: '由人点名' }).waitFor();
  wrong.push(...(await looksAt(auditor.page, 'console-named-by-hand-desk-zh-CN')));
  expect(wrong).toEqual([]);
  for (const who of [resident, worker, reviewer, auditor]) await who.leaves();
});
