// The platform's time, in the city's time zone. A page never trusts the clock of the device it runs on: every answer of the
// platform says what time it is there, and deadlines are counted against that.
import { say, tongue } from './say.svelte.ts';

const CITY = 'Asia/Shanghai';
const shown = $state({ now: Date.now() });
let ahead = 0;

/** Takes over the platform's time from an answer. */
export function heard(platformTime: string | null): void {
  if (!platformTime) return;
  const theirs = Date.parse(platformTime);
  if (Number.isNaN(theirs)) return;
  ahead = theirs - Date.now();
  // A clock that was moved by hand shows at once; the usual difference waits for the next second.
  if (Math.abs(shown.now - theirs) > 1500) shown.now = theirs;
}

setInterval(() => (shown.now = Date.now() + ahead), 1000);

/** What time it is, in milliseconds; whoever reads it is shown anew every second. */
export function now(): number {
  return shown.now;
}

// Making a formatter costs far more than using it, and a live page uses some hundreds a second.
const formats = new Map<string, Intl.DateTimeFormat>();

function formatted(at: string | number | Date, options: Intl.DateTimeFormatOptions): string {
  const locale = tongue() === 'en' ? 'en-GB' : 'zh-CN';
  const key = locale + JSON.stringify(options);
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(locale, { timeZone: CITY, hourCycle: 'h23', ...options });
    formats.set(key, format);
  }
  return format.format(new Date(at));
}

/** By how much the clock of this device is ahead of the platform's, in milliseconds; behind it where negative. */
export function deviceAhead(): number {
  return -ahead;
}

/** `14:32` */
export function clockTime(at: string | number | Date): string {
  return formatted(at, { hour: '2-digit', minute: '2-digit' });
}

/** `14:32:07` */
export function exactTime(at: string | number | Date): string {
  return formatted(at, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
}

/** `11月22日 14:32`; the time alone when it is today. */
export function moment(at: string | number | Date): string {
  const day = (time: string | number | Date) => formatted(time, { year: 'numeric', month: '2-digit', day: '2-digit' });
  if (day(at) === day(now())) return clockTime(at);
  const date = formatted(at, tongue() === 'en' ? { day: 'numeric', month: 'short' } : { month: 'long', day: 'numeric' });
  return `${date} ${clockTime(at)}`;
}

/** `2026年11月22日 14:32`: what stands on paper is read on another day. */
export function dated(at: string | number | Date): string {
  return formatted(at, { year: 'numeric', month: 'long', day: 'numeric', hour: '2-digit', minute: '2-digit' });
}

/** A day of the city's calendar, `2026-12-05`: `12月5日周六`. */
export function calendarDay(day: string): string {
  return formatted(`${day}T12:00:00+08:00`, { month: tongue() === 'en' ? 'short' : 'long', day: 'numeric', weekday: 'short' });
}

/** A span in the two largest units that say something: `1 小时 48 分`, `26 min`, `40 s`. */
export function span(milliseconds: number): string {
  const seconds = Math.round(Math.abs(milliseconds) / 1000);
  if (seconds < 60) return say(`${seconds} 秒`, `${seconds} s`);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return say(`${minutes} 分钟`, `${minutes} min`);
  const hours = Math.floor(minutes / 60);
  if (hours < 48) {
    const rest = minutes % 60;
    return rest ? say(`${hours} 小时 ${rest} 分`, `${hours} h ${rest} min`) : say(`${hours} 小时`, `${hours} h`);
  }
  const days = Math.round(hours / 24);
  return say(`${days} 天`, `${days} days`);
}

/** How long ago: `3 分钟前`. */
export function ago(at: string | number | Date): string {
  const passed = now() - new Date(at).getTime();
  if (passed < 10_000) return say('刚刚', 'just now');
  return say(`${span(passed)}前`, `${span(passed)} ago`);
}
