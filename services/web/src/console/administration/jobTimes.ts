// When a job is due, read out of its cron expression, in Chinese and English. The platform decides by the expression; what is none of the
// usual kinds is not read out.

const two = (text: string) => text.padStart(2, '0');
const whole = (text: string | undefined): text is string => text !== undefined && /^\d+$/.test(text);
const every = (text: string | undefined, of: number): number | null => {
  const step = Number(/^\*\/(\d+)$/.exec(text ?? '')?.[1]);
  return step > 1 && of % step === 0 ? step : null;
};

type Words = readonly [zh: string, en: string];

const DAYS: readonly Words[] = [['日', 'Sunday'], ['一', 'Monday'], ['二', 'Tuesday'], ['三', 'Wednesday'], ['四', 'Thursday'], ['五', 'Friday'], ['六', 'Saturday']];
const NAMES = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

/** When the expression comes; null when it is none of the usual kinds. */
export function inWords(cron: string): Words | null {
  const [second, minute, hour, day, month, weekday, ...more] = cron.trim().split(/\s+/);
  if (second !== '0' || month !== '*' || more.length) return null;
  const anyDay = day === '*' && weekday === '*';
  const minutes = every(minute, 60);
  if (minutes && hour === '*' && anyDay) return [`每 ${minutes} 分钟`, `Every ${minutes} minutes`];
  if (!whole(minute)) return null;
  const hours = every(hour, 24);
  if (hours && anyDay) return [`每 ${hours} 小时，第 ${minute} 分`, `Every ${hours} hours, at minute ${minute}`];
  if (hour === '*' && anyDay) return [`每小时第 ${minute} 分`, `Every hour, at minute ${minute}`];
  if (!whole(hour)) return null;
  const time = `${two(hour)}:${two(minute)}`;
  if (anyDay) return [`每天 ${time}`, `Every day at ${time}`];
  if (whole(day) && weekday === '*') return [`每月 ${day} 日 ${time}`, `On day ${day} of each month at ${time}`];
  const named = day === '*' ? DAYS[whole(weekday) ? Number(weekday) % 7 : NAMES.indexOf((weekday ?? '').toUpperCase())] : undefined;
  return named ? [`每周${named[0]} ${time}`, `Every ${named[1]} at ${time}`] : null;
}
