// What stories find prepared: alerts that somebody wrote, reviewed and sent through the interface before the page in question opens.
import { city, eventually } from './city.ts';

export interface Detail {
  alert_id: string; version: number; state: string; short_code: string;
  checklist: { action: string; items: { item: string }[] } | null;
}

/** The answers of a reviewer who has found everything as it should be; none where the step asks nothing. */
export const allWell = (alert: Detail, action: string): { item: string; answer: 'yes' }[] =>
  alert.checklist?.action === action ? alert.checklist.items.map(({ item }) => ({ item, answer: 'yes' })) : [];

/** An alert's content, valid for two days. */
export async function content(headline: string, more: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
  const text = (words: string[]) => ({ headline: words[0], body: words[1], instruction: words[2], sms: words[2] });
  return {
    status: 'actual', msg_type: 'alert', category: 'health', urgency: 'expected', severity: 'moderate', certainty: 'observed', purpose: '减少暴露',
    texts: {
      'zh-CN': text([headline, '市场环境采样发现污染，已关闭消毒。', '请暂勿前往，去过者请自我观察。']),
      en: text([`Notice: ${headline}`, 'The market is closed for disinfection.', 'Stay away, and watch your health if you were there.']),
    },
    contact: '12320', expires_at: new Date((await city.now()).getTime() + 2 * 86_400_000).toISOString(), ack_window_s: 3600, display: true, source_note: '现场采样', ...more,
  };
}

/** Takes steps with an alert, one after the other: who, and what. */
export async function steps(alert: string, taken: [token: string, action: string, reason?: string][]): Promise<Detail> {
  let last: Detail | undefined;
  for (const [token, action, reason] of taken) {
    const seen = await city.call<Detail>('GET', `alerts/${alert}`, token);
    // the demo has alerts for the same places, and a story may say the opposite of one
    const decision = { version: seen.version, action, reason: reason ?? '', answers: allWell(seen, action), known: ['contradicts_another'] };
    last = await city.call<Detail>('POST', `alerts/${alert}/decisions`, token, decision);
  }
  return last!;
}

/** An urgent alert, confirmed by two officers, once everybody is reached. */
export async function urgentAlert(headline: string, areas: string[], more: Record<string, unknown> = {}): Promise<string> {
  const [one, two] = [await city.signIn('command.one'), await city.signIn('command.two')];
  const written = await city.call<Detail>('POST', 'alerts', one, { content: await content(headline, more), audience: { query: { include: [{ areas }] } } });
  await steps(written.alert_id, [[one, 'compose_urgent'], [two, 'confirm']]);
  await eventually('the urgent alert is with everybody', async () => (await city.call<Detail>('GET', `alerts/${written.alert_id}`, one)).state === 'active');
  return written.alert_id;
}

/** A routine alert that a district handed in. */
export async function handedIn(headline: string, more: Record<string, unknown> = {}): Promise<string> {
  const unit = await city.signIn('unit.centre');
  const body = { district: '500103', content: await content(headline, more), audience: { query: { include: [{ areas: ['500103'] }] } } };
  const written = await city.call<Detail>('POST', 'alerts', unit, body);
  await steps(written.alert_id, [[unit, 'submit']]);
  return written.alert_id;
}
