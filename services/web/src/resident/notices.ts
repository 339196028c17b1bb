// What the tray of a phone may show of an alert. A push may have waited for days with its provider, and a notice stands until somebody wipes it away: so
// what is shown is what the inbox says now, never an alert that has ended as if it held. No I/O.
import type { InboxItem } from './contract.ts';
import { isExercise, isLive, isUrgent } from './order.ts';
import type { Tongue } from '../words/say.svelte.ts';

export interface Notice {
  /** The alert it opens; a notice replaces the one of the same alert. */
  alert_id: string;
  title: string;
  body: string;
  /** Whether it asks for something now: it sounds, and stays until it is answered. */
  asks: boolean;
  urgent: boolean;
}

/** A notice that stands in the tray. */
export interface Standing { tag: string; title: string }

/** What to show of an alert: itself, what corrects it, or that it is over. */
export function noticeOf(item: InboxItem, items: readonly InboxItem[], now: number, tongue: Tongue, acknowledged: ReadonlySet<string> = new Set()): Notice {
  const say = (zh: string, en: string) => (tongue === 'en' ? en : zh);
  const correction = item.state === 'superseded' ? items.find((other) => other.alert_id === item.superseded_by) : undefined;
  if (correction) return noticeOf(correction, items.filter((other) => other !== item), now, tongue, acknowledged);
  const mark = isExercise(item) && !/演练|EXERCISE/.test(item.text.headline) ? '【演练 EXERCISE】' : '';
  const notice = (title: string, body: string, asks = false): Notice => ({ alert_id: item.alert_id, title: `${mark}${title}`, body, asks, urgent: asks && isUrgent(item) });
  const { headline, instruction } = item.text;
  if (item.state === 'cancelled') {
    const why = item.stop_reason ? say(`原因：${item.stop_reason}`, `Why: ${item.stop_reason}`) : '';
    return notice(say(`提醒已撤销：${headline}`, `Withdrawn: ${headline}`), say(`不必再按这条提醒行动。${why}`, `You need not do what this alert asked any more. ${why}`).trim());
  }
  if (item.state === 'all_clear') return notice(say(`提醒已解除：${headline}`, `All clear: ${headline}`), say('情况已过，不必再按这条提醒行动。', 'It is over: you need not do what this alert asked any more.'));
  if (item.state === 'withdrawn') return notice(say(`提醒已撤销：${headline}`, `Withdrawn: ${headline}`), say('经核实与您无关，不必再按这条提醒行动。', 'It was found not to be about you: you need not do what this alert asked any more.'));
  if (item.state === 'superseded') return notice(say(`提醒已更正：${headline}`, `Corrected: ${headline}`), say('请不要再按这条提醒行动。', 'Do not do what this alert asked any more.'));
  if (!isLive(item, now)) return notice(say(`提醒已结束：${headline}`, `Over: ${headline}`), say('这条提醒已过有效期。', 'This alert is no longer valid.'));
  if (item.being_checked) return notice(headline, `${item.being_checked} ${instruction}`.trim(), !item.acknowledged_at && !acknowledged.has(item.alert_id));
  const body = instruction || say('请打开查看。', 'Open to read.');
  if (item.acknowledged_at || acknowledged.has(item.alert_id)) return notice(headline, say(`您已确认。${body}`, `You have confirmed. ${body}`));
  return notice(item.msg_type === 'update' ? say(`更正：${headline}`, `Correction: ${headline}`) : headline, body, true);
}

/** What is to be done with what stands in the tray: notices that nobody needs any more go, and who may still act on one that was taken back is told there. */
export function tidied(standing: readonly Standing[], items: readonly InboxItem[], now: number, tongue: Tongue, acknowledged: ReadonlySet<string> = new Set()): { close: string[]; replace: Notice[] } {
  const close: string[] = [];
  const replace: Notice[] = [];
  for (const { tag, title } of standing) {
    const item = items.find((one) => one.alert_id === tag);
    if (!item) continue;
    const takenBack = ['cancelled', 'withdrawn', 'superseded', 'all_clear'].includes(item.state) && Date.parse(item.expires_at) > now;
    if (!takenBack) {
      if (item.acknowledged_at || acknowledged.has(tag) || !isLive(item, now)) close.push(tag);
      continue;
    }
    const notice = noticeOf(item, items, now, tongue, acknowledged);
    // What corrects it stands for itself, here or in the tray.
    if (notice.alert_id !== tag) {
      close.push(tag);
      if (notice.asks && !standing.some((other) => other.tag === notice.alert_id)) replace.push(notice);
    } else if (notice.title !== title) replace.push(notice);
  }
  return { close, replace };
}
