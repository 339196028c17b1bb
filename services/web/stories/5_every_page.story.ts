// Every page, on a desk and on a phone, in both languages: nothing scrolls sideways, axe-core finds no violation, and a picture is kept to be
// looked at (`stories/pictures`).
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Page } from 'playwright-core';
import { city } from './city.ts';
import { curtain, openWindow, Resident, Staff } from './cast.ts';
import { looksAt } from './looks.ts';
import { handedIn, urgentAlert } from './prepared.ts';

const SIZES = { desk: { width: 1280, height: 800 }, phone: { width: 360, height: 740 } };

let waiting = '';
let sent = '';
beforeAll(async () => {
  waiting = await handedIn('每一页的提醒');
  sent = await urgentAlert('已经送达的提醒', ['500103', '500105']);
});
afterAll(curtain);

const pagesOf: Record<string, (alerts: { waiting: string; sent: string }) => [name: string, path: string][]> = {
  'review.500103': ({ waiting, sent }) => [['home', '/'], ['alerts', '/alerts'], ['review', `/alerts/${waiting}`], ['delivery', `/alerts/${sent}/delivery`], ['story', `/alerts/${sent}/story`], ['glossary', '/glossary?word=seal'], ['acts', '/acts'], ['standings', '/standings'], ['sources', '/sources'], ['feedback', '/feedback'], ['write', '/alerts/new']],
  'command.one': ({ sent }) => [['city-home', '/'], ['city', '/city'], ['urgent', '/urgent'], ['alert-sent', `/alerts/${sent}`], ['found', '/alerts?q=送达的提醒'], ['retraction', `/alerts/${sent}/retraction`], ['named-by-hand', '/named-by-hand'], ['rules', '/rules'], ['screens', '/screens']],
  'community.centre': () => [['follow-ups', '/community'], ['identity', '/identity'], ['report', '/report'], ['entry', '/entry']],
  operator: () => [['jobs', '/jobs'], ['job', '/jobs/resident.fold_headcount'], ['dead-letters', '/dead-letters']],
  admin: () => [['staff', '/staff'], ['units', '/units'], ['account-changes', '/proposals'], ['settings', '/settings'], ['security', '/security']],
  'hotline.one': () => [['desk-home', '/'], ['desk', '/casework?list=desk'], ['call', '/call'], ['callbacks', '/casework?list=callback']],
  'cdc.handler': () => [['inbox', '/casework']],
  'cdc.lead': () => [['to-decide', '/casework?list=decide']],
  supervisor: () => [['supervision', '/supervision'], ['disputes', '/casework?list=disputes'], ['working-days', '/casework/working-days']],
};

for (const [size, view] of Object.entries(SIZES)) {
  for (const tongue of ['zh-CN', 'en']) {
    for (const [login, pages] of Object.entries(pagesOf)) {
      test(`${login} on a ${size} in ${tongue}`, async () => {
        const staff = await Staff.signsIn(login, { size: view, tongue });
        const wrong: string[] = [];
        for (const [name, path] of pages({ waiting, sent })) {
          await staff.opens(path);
          wrong.push(...(await looksAt(staff.page, `console-${name}-${size}-${tongue}`)));
        }
        expect(wrong).toEqual([]);
        await staff.leaves();
      });
    }

    test(`the doors and the app on a ${size} in ${tongue}`, async () => {
      const { page, context } = await openWindow(view);
      const wrong: string[] = [];
      for (const [name, path] of [['guide', '/'], ['sign-in', '/console'], ['register', '/app'], ['screen-key', '/screen']] as const) {
        await page.goto(`${city.url}${path}?lang=${tongue}`);
        wrong.push(...(await looksAt(page, `${name}-${size}-${tongue}`)));
      }
      for (const [name, path] of [['cases', '#/cases'], ['case-help', '#/cases/new/urgent_help'], ['case-complaint', '#/cases/new/complaint'], ['case-look', '#/cases/look']] as const) {
        await page.goto(`${city.url}/app${path}`);
        wrong.push(...(await looksAt(page, `app-${name}-${size}-${tongue}`)));
      }
      await context.close();
      const phones = await city.phones();
      const somebody = phones[(size === 'desk' ? 3 : 5) + (tongue === 'en' ? 1 : 0)]!;
      const looks = async (page: Page) => void wrong.push(...(await looksAt(page, `register-passport-${size}-${tongue}`)));
      const resident = await Resident.registers(somebody.phone, somebody.community, { size: view, tongue, passport: `M${somebody.phone.slice(-8)}`, looks });
      await resident.page.locator('dialog[open]').first().waitFor();
      wrong.push(...(await looksAt(resident.page, `app-popup-${size}-${tongue}`)));
      await resident.readsEverything();
      for (const [name, path] of [['inbox', '#/'], ['standings', '#/standings'], ['said', '#/said'], ['me', '#/me']] as const) {
        await resident.page.goto(`${city.url}/app${path}`);
        wrong.push(...(await looksAt(resident.page, `app-${name}-${size}-${tongue}`)));
      }
      await resident.page.goto(`${city.url}/app#/`);
      await resident.page.locator('main a[href^="#/alerts/"], main article a, main li a').first().click();
      wrong.push(...(await looksAt(resident.page, `app-alert-${size}-${tongue}`)));
      expect(wrong).toEqual([]);
      await resident.leaves();
    });
  }
}
