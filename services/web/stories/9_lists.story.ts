// A list as somebody made it: looked at before it counts, mended by choices, delivered; a record that was wrong is taken back, and whoever reviews
// the alert it had led to leaves the person out, or, when people were told already, withdraws it for that person alone.
import { afterAll, expect, test } from 'vitest';
import { city, eventually } from './city.ts';
import { curtain, Staff } from './cast.ts';
import { steps, type Detail } from './prepared.ts';

afterAll(curtain);

/** As a spreadsheet in China writes a list, with a column that nobody knows and a year of two digits. */
function list(phones: readonly string[], now: Date): string {
  const at = new Date(now.getTime() - 3_600_000 + 8 * 3_600_000).toISOString().slice(0, 16).replace('T', ' ');
  const row = (id: string, phone: string, when = at) => `${id},密接,${when},${phone.replace('+86', '')},高,渝中区,渝中区集中隔离点\r\n`;
  return `密接名册2026\r\n流调单号,类别,发生时间,手机号,等级,区县,隔离地点\r\n${phones.map((phone, at) => row(`ld-${at + 1}`, phone)).join('')}${row('ld-9', phones[0]!, '11/2/26')}`;
}

test('a list is mended before it counts, and a record that was wrong takes the person out of its alert', async () => {
  await city.morning();
  const phones = (await city.phones()).slice(9, 12).map(({ phone }) => phone);
  const delivered = async () => (await city.call<unknown[]>('GET', 'loads?limit=100', await city.signIn('unit.centre'))).length;
  const before = await delivered();
  const unit = await Staff.signsIn('unit.centre');
  await unit.opens('/sources');
  const { page } = unit;
  await page.locator('input[type=file]').setInputFiles({ name: '密接.csv', mimeType: 'text/csv', buffer: Buffer.from(list(phones, await city.now())) });

  await unit.sees(/表头.*不能识别/);
  const unknown = page.getByRole('combobox', { name: /流调单号/ });
  await unknown.focus();
  await unknown.selectOption('source_id');
  const preview = page.getByRole('region', { name: '报送前预览' });
  await preview.getByText('确认报送').waitFor();
  await preview.getByText(/第 \d+ 行/).first().waitFor();
  const figures = await preview.locator('dl').innerText();
  expect(figures).toMatch(/将新收\s*3/);
  expect(figures).toMatch(/将拒收\s*1/);
  expect(await preview.innerText()).toContain('密切接触者：立即隔离');
  expect(await delivered(), 'nothing counts yet').toBe(before);

  await preview.getByRole('button', { name: '确认报送' }).click();
  await unit.sees(/新收 3 条.*拒收 1 行/);

  // gathered into a draft, which is an alert when its window has ended
  const command = await city.signIn('command.one');
  type Line = { alert_id: string; headline: string; state: string };
  const known = new Set((await city.call<Line[]>('GET', 'alerts?state=district_review&limit=200', command)).map((line) => line.alert_id));
  await eventually('the rule gathers', async () => (await city.call<{ records: number }[]>('GET', 'rules/drafts', command)).some((draft) => draft.records >= 3));
  await city.forward(6);
  const alert = await eventually('the draft is an alert', async () =>
    (await city.call<Line[]>('GET', 'alerts?state=district_review&limit=200', command)).find((line) => !known.has(line.alert_id)),
  );

  const takesBack = async (id: string) => {
    await unit.opens('/sources');
    await page.getByLabel('来源编号').fill(id);
    await page.getByRole('button', { name: '查找' }).click();
    await page.getByRole('article', { name: id }).getByText('第 1 版').waitFor();
    await page.getByLabel('撤回原因').fill('同名误报');
    await page.getByRole('button', { name: '撤回此记录' }).click();
    await unit.sees('已撤回。草稿中已去掉，已成弹窗的由审核人员处理。');
  };
  await takesBack('ld-2');

  const reviewer = await Staff.signsIn('review.500103');
  await reviewer.sees('来源记录有变，等待决定');
  await reviewer.opens(`/alerts/${alert.alert_id}`);
  await reviewer.sees('同名误报');
  await reviewer.sees(/处理前不能继续审核/);
  await reviewer.page.getByRole('button', { name: /移出受众/ }).click();
  await reviewer.page.getByText('已移出受众').first().waitFor();
  const after = await city.call<{ audience: { residents: number } }>('GET', `alerts/${alert.alert_id}`, command);
  expect(after.audience.residents, 'fewer than ten are told as that: who has left cannot be told from the number').toBe(9);
  await reviewer.decides(/审核通过/);

  await steps(alert.alert_id, [[command, 'approve']]);
  const { short_code } = await city.call<Detail>('GET', `alerts/${alert.alert_id}`, command);
  // the first has a phone only, the last the app; the second was left out
  const [wrong, never] = phones.map((phone) => async () => (await city.sms(phone)).filter((text) => text.includes(short_code) || text.includes(`《${alert.headline}》`)));
  const delivery = () => city.call<{ waves: { accepted: number }[]; withdrawn_for: object }>('GET', `alerts/${alert.alert_id}/delivery`, command);
  await eventually('both are told', async () => (await delivery()).waves[0]?.accepted === 2 && (await wrong!()).length === 1);
  await takesBack('ld-1');
  await unit.leaves();
  await reviewer.opens(`/alerts/${alert.alert_id}`);
  await reviewer.sees(/有人是依据其中 1 条记录被告知的/);
  await reviewer.page.getByLabel('理由').fill('同名误报');
  await reviewer.page.getByRole('button', { name: /撤销对其弹窗/ }).click();
  await reviewer.page.getByText('已撤销对其弹窗').first().waitFor();
  const word = await eventually('who was told by it is told otherwise', async () => (await wrong!()).find((text) => text.includes('已撤销')));
  expect(word).toContain('经核实与您无关');
  expect((await never!()).length).toBe(0);
  expect((await delivery()).withdrawn_for, 'nobody else notices').toEqual({ people: 1, reached: 1, open: 0, failed: 0 });
  await reviewer.opens(`/alerts/${alert.alert_id}/delivery`);
  await reviewer.sees('已对其撤销');
  await reviewer.leaves();
});
