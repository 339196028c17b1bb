import { describe, expect, it, test, vi } from 'vitest';
import type { Schema } from '../../api/client.ts';
import type { StoryEntry } from './contract.ts';

vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => {} });
vi.stubGlobal('location', { search: '', href: 'http://fenghuo.test/', origin: 'http://fenghuo.test' });
vi.stubGlobal('document', { documentElement: { lang: '' } });
const { byDay, personWord, said } = await import('./entries.ts');

type Told = Schema['StoryEvent'];
const at = '2026-11-22T04:00:00Z';
const officer = { id: 'o', name: '李岚', role: 'city_command_officer', scope: 'city' } as const;
const digest = 'a'.repeat(64);
const step: Extract<Told, { kind: 'step' }> = { kind: 'step', version: 3, action: 'approve', from: 'city_review', to: 'approved', by: officer, reason: null, public_reason: null, passage: null, checked: [], answers: [], content_changed: false };

describe('each entry says what happened', () => {
  test.each<[Told, string]>([
    [{ kind: 'record', record_no: 7, record_kind: 'test_result', source: '市疾控', area: '500103', place: false, occurred_at: at, ended_at: null }, '依据记录 7：检测结果'],
    [step, '批准（第 3 版）'],
    [{ kind: 'sealed', seal: { texts: [], audience: digest, terms: digest, people: 4100 } }, '封存批准的内容'],
    [{ kind: 'word', retraction_id: 'r', what: 'withdraw', progress: 'confirmed', by: officer, reason: '误发', texts: {} }, '撤回：已确认'],
    [{ kind: 'released' }, '开始推送'],
    [{ kind: 'wave', wave: 1, event: 'planned', people: 4100, no_channel: 0 }, '首次推送：名单已排好，4,100 人'],
    [{ kind: 'wave', wave: 2, event: 'done', people: 40, no_channel: 1 }, '二次提醒：全部完成'],
    [{ kind: 'handed', wave: 1, channel: 'sms', handed_over: 8, unreachable: 1, withdrawn: 0, open: 2, first_at: at }, '首次推送 · 短信：送达 8 人，无法送达 1 人'],
    [{ kind: 'unlike_approved', part: 'people', language: null, channel: null, approved: '4100', found: '10400000' }, '与批准的不一致，已暂停：人数'],
    [{ kind: 'went_on', by: officer, planned: '10400000', reason: '已核实' }, '核实后放行，10,400,000 人'],
    [{ kind: 'screens', screens: 12, plays: 40, last_at: null }, '12 块公共屏幕显示'],
    [{ kind: 'acknowledged', people: 812 }, '这一小时 812 人确认'],
    [{ kind: 'follow_ups', outcome: 'needs_help', people: 5 }, '社区随访：需要帮助 5 人'],
    [{ kind: 'withdrawn_for', people: 2 }, '对 2 人撤销'],
    [{ kind: 'feedback', kind_of: 'wrong', count: 3 }, '居民反馈 3 条：说有误'],
    [{ kind: 'corrected_by', alert_id: 'b', headline: '更正', state: 'active' }, '由更正代替：更正'],
    [{ kind: 'ended', how: 'closed' }, '有效期结束'],
  ])('%#: $kind', (told, line) => expect(said({ at, ...told }).line).toBe(line));
});

it('says who answered what with no, and why it went back', () => {
  const found = said({ at, ...step, action: 'return_city', to: 'draft', reason: '请写日期', answers: [
    { item: 'complete', question: '信息完整', question_en: 'Complete', answer: 'no', note: '缺日期' }, { item: 'accurate', question: '准确', question_en: 'Accurate', answer: 'yes', note: null },
  ] });
  expect(found.bad).toBe(true);
  expect(found.quote).toBe('请写日期');
  expect(found.details).toEqual(['核对 2 项，1 项为“否”', '否：信息完整（缺日期）']);
});

test.each([
  [null, '平台'],
  [officer, '李岚（市级指挥部）'],
  [{ ...officer, name: '' }, '市级指挥部'],
])('%# is called %s', (person, name) => expect(personWord(person)).toBe(name));

it('tells of what it does not know by its name, so that nothing is missing from the story', () =>
  expect(said({ at, kind: 'something_new' } as unknown as StoryEntry).line).toBe('something_new'));

it('is told by days of the city', () => {
  const entry = (at: string): StoryEntry => ({ at, kind: 'released' });
  expect(byDay([entry('2026-11-21T15:59:00Z'), entry('2026-11-21T16:01:00Z'), entry('2026-11-22T04:00:00Z')]).map(({ day, entries }) => [day, entries.length])).toEqual([['2026-11-21', 1], ['2026-11-22', 2]]);
});
