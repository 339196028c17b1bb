// From a community's report to the acknowledged alert, and to the reminder of those who stay silent (CQ6 to CQ11): three windows.
import { afterAll, expect, test } from 'vitest';
import { city, eventually } from './city.ts';
import { curtain, Resident, Staff } from './cast.ts';

afterAll(curtain);

test('a report becomes an alert that one neighbour acknowledges and another is reminded of', async () => {
  await city.morning();
  const [first, second] = await city.phones();
  const scope = (await city.call<{ scope: string }>('GET', 'session', await city.signIn('community.centre'))).scope;
  const home = scope.replace('community:', '');

  const worker = await Staff.signsIn('community.centre', { size: { width: 360, height: 740 } });
  await worker.opens('/report');
  for (const choice of [/一个地方/, /饮用水/, /^高/]) await worker.page.getByRole('radio', { name: choice }).check({ force: true });
  await worker.page.getByRole('button', { name: '提交' }).click();
  await worker.sees('已收到，谢谢');

  const reviewer = await Staff.signsIn('review.500103');
  const officer = await Staff.signsIn('command.one');
  const resident = await Resident.registers(first!.phone, home);
  const silent = await Resident.registers(second!.phone, home);
  await silent.leaves();
  await resident.readsEverything();

  // the reports of the next minutes are gathered; then the draft stands in the district's queue, without a reload
  await city.forward(15);
  const headline = '请将水煮沸后再饮用';
  await reviewer.takesUp(headline);
  await reviewer.sees('自动检查没有发现问题');
  await reviewer.decides(/审核通过|通过/);
  await officer.takesUp(headline);
  await officer.decides(/批准/);

  const alert = await eventually('the alert is in force', async () => {
    const token = await city.signIn('command.two');
    const lines = await city.call<{ headline: string; alert_id: string; ack_window_s: number; created_at: string }[]>('GET', 'alerts?state=active&limit=20', token);
    return lines.find((line) => line.headline.includes(headline) && Date.now() - Date.parse(line.created_at) < 1e12 && line.ack_window_s > 0 && lines[0] === line);
  });
  await resident.receives(alert.headline);
  await resident.acknowledges();

  // who stays silent hears of it once more, now by SMS; who acknowledged hears nothing more
  const told = async (phone: string) => (await city.sms(phone)).filter((text) => !text.includes('验证码')).length;
  const [read, unread] = [await told(first!.phone), await told(second!.phone)];
  await city.forward(alert.ack_window_s / 60 + 5);
  await eventually('the silent one is reminded by SMS', async () => (await told(second!.phone)) > unread);
  expect(await told(first!.phone)).toBe(read);

  for (const who of [worker, reviewer, officer, resident]) await who.leaves();
});
