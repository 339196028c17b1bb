import { expect, it } from 'vitest';
import { inWords } from './jobTimes.ts';

it.each([
  ['0 30 3 * * *', '每天 03:30', 'Every day at 03:30'],
  ['0 */5 * * * *', '每 5 分钟', 'Every 5 minutes'],
  ['0 40 * * * *', '每小时第 40 分', 'Every hour, at minute 40'],
  ['0 10 */6 * * *', '每 6 小时，第 10 分', 'Every 6 hours, at minute 10'],
  ['0 0 9 * * MON', '每周一 09:00', 'Every Monday at 09:00'],
  ['0 0 9 * * 7', '每周日 09:00', 'Every Sunday at 09:00'],
  ['0 10 2 1 * *', '每月 1 日 02:10', 'On day 1 of each month at 02:10'],
])('%s is read out', (cron, zh, en) => expect(inWords(cron)).toEqual([zh, en]));

it.each(['15 30 3 * * *', '0 */7 * * * *', '0 10 */5 * * *', '0 0 9 13 * FRI', '0 0 6,18 * * *', '0 0 0 29 2 *', '0 0 9 * * MON-FRI', '@daily', ''])('%s stands as it is', (cron) => {
  expect(inWords(cron)).toBeNull();
});
