// Networks go away: what was read stays readable, what was said is sent later, and a screen goes on and says how old it is.
import { afterAll, expect, test } from 'vitest';
import { city, eventually } from './city.ts';
import { curtain, openWindow, Resident } from './cast.ts';
import { steps, urgentAlert } from './prepared.ts';
import { Wire } from './wire.ts';

afterAll(curtain);

test('an alert is read and acknowledged offline, and the acknowledgement arrives when the network is back', async () => {
  const [, , somebody] = await city.phones();
  const wire = await Wire.to(city.url);
  const resident = await Resident.registers(somebody!.phone, somebody!.community, { url: wire.url });
  await resident.readsEverything();
  const { page } = resident;
  await eventually('the app can start without a network', () => page.evaluate(async () => (await navigator.serviceWorker.getRegistration('/app/'))?.active?.state === 'activated'));
  const alert = await urgentAlert('断网前收到的提醒', [somebody!.community.slice(0, 6)]);
  await resident.receives('断网前收到的提醒');

  wire.cut();
  await resident.acknowledges();
  await page.reload();
  await page.getByText('离线').first().waitFor();
  await page.getByText('断网前收到的提醒').first().waitFor();
  await page.getByText('已确认，待发送').first().waitFor();
  const token = await city.signIn('command.one');
  const acknowledged = async () => (await city.call<{ acknowledged: number }>('GET', `alerts/${alert}/delivery`, token)).acknowledged;
  const before = await acknowledged();

  wire.mend();
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await eventually('it is sent', async () => (await acknowledged()) === before + 1);
  await page.getByText('已确认，待发送').first().waitFor({ state: 'detached' });
  await resident.leaves();
  wire.remove();
});

test('a screen plays on without the server, says how old it is, and follows again when the server is back', async () => {
  const officer = await city.signIn('command.one');
  const second = await city.signIn('command.two');
  const screen = await city.call<{ key: string }>('POST', 'screens', officer, { name: '站厅 2 号屏', place: '照母山站', area: '500112', languages: ['zh-CN', 'en'], form: 'full' });
  await urgentAlert('先前的提醒', ['500112']);
  const { page, context, faults } = await openWindow({ width: 1280, height: 720 });
  const wire = await Wire.to(city.url);
  await page.goto(`${wire.url}/screen#key=${screen.key}`);
  await page.getByText('先前的提醒').first().waitFor({ timeout: 60_000 });
  const alert = await urgentAlert('屏幕上的提醒', ['500112']);
  // One is being shown for as long as reading takes; a new urgent one does not wait for its end.
  await page.getByText('屏幕上的提醒').first().waitFor({ timeout: 30_000 });
  expect(page.url(), 'the key does not stay in the address').not.toContain(screen.key);
  const [overflows, cursor] = await page.evaluate(() => [
    document.documentElement.scrollHeight > innerHeight || document.documentElement.scrollWidth > innerWidth,
    getComputedStyle(document.querySelector('main')!).cursor,
  ]);
  expect([overflows, cursor], 'no scroll bar, no cursor').toEqual([false, 'none']);

  wire.cut();
  await page.getByText(/离线 \d+ 秒/).first().waitFor({ timeout: 60_000 });
  await page.getByText(/屏幕上的提醒|先前的提醒/).first().waitFor();
  await page.getByText(/^\d \/ 4$/).waitFor();
  const asked = await city.call<{ waiting: { retraction_id: string } }>('POST', `alerts/${alert}/retraction`, officer, { kind: 'all_clear', reason: '已消毒完毕' });
  await city.call('POST', `alerts/${alert}/retraction/decisions`, second, { retraction_id: asked.waiting.retraction_id, step: 'confirm' });
  wire.mend();
  // who saw the one on this screen sees the other there
  await page.getByText('【已解除】《屏幕上的提醒》').first().waitFor({ timeout: 90_000 });
  await page.getByText(/离线 \d+ 秒/).first().waitFor({ state: 'hidden' });
  expect(faults).toEqual([]);
  await context.close();
  wire.remove();
});
