// The entries of a story in words: what happened in a line, by whom, and what belongs to it. What a reader does not know is told by its name.
import { roleWord, channelWord, publicReasonWord, stepWord } from '../../words/alert.ts';
import { headcount } from '../../words/headcount.ts';
import { number, say } from '../../words/say.svelte.ts';
import { moment } from '../../words/time.svelte.ts';
import { checkWord } from '../alert/checklist.ts';
import { fieldWord, languageWord } from '../alert/textwords.ts';
import { short } from '../seal/seal.ts';
import { kindWord } from '../sources/record.ts';
import type { Person, StoryEntry } from './contract.ts';

export type Group = 'source' | 'review' | 'sending' | 'people' | 'ending';

/** An entry as it is read: a line, and what is said under it. */
export interface Said { group: Group; line: string; who: string; details: string[]; quote: string; bad: boolean }

export function personWord(person: Person | null | undefined): string {
  if (!person) return say('平台', 'the platform');
  // of an account that is not kept any more, nothing but its number is known
  if (!person.role) return person.name ?? say('已注销的账号', 'an account that is no more');
  const role = roleWord(person.role);
  return person.name ? `${person.name}${say('（', ' (')}${role}${say('）', ')')}` : role;
}

function waveWord(wave: number): string {
  if (wave === 1) return say('首次推送', 'First push');
  if (wave === 2) return say('二次提醒', 'Reminder');
  if (wave === 9) return say('告知已结束', 'Telling that it has ended');
  if (wave === 10) return say('告知部分人不再有效', 'Telling some that it does not hold for them');
  return say(`第 ${wave} 轮`, `Wave ${wave}`);
}

const sum = (handed: number, unreachable: number) => say(`送达 ${number(handed)} 人，无法送达 ${number(unreachable)} 人`, `${number(handed)} handed over, ${number(unreachable)} unreachable`);

const words: Record<'asked' | 'confirmed' | 'refused' | 'taken_back' | 'overtaken' | 'expired', [string, string]> = {
  asked: ['请求', 'asked for'],
  confirmed: ['已确认', 'confirmed'],
  refused: ['未予同意', 'refused'],
  taken_back: ['已收回', 'taken back'],
  overtaken: ['已被取代', 'overtaken'],
  expired: ['已过期', 'lapsed'],
};
const kinds: Record<string, [string, string]> = { withdraw: ['撤回', 'Withdrawal'], all_clear: ['解除', 'All clear'], correct: ['更正', 'Correction'] };
const parts: Record<string, [string, string]> = { text: ['文字', 'Text'], audience: ['受众', 'Audience'], terms: ['时限与条件', 'Terms'], people: ['人数', 'People'], seal: ['封存', 'Seal'] };
const feedbacks: Record<string, [string, string]> = { unclear: ['看不懂', 'unclear'], wrong: ['说有误', 'say it is wrong'], question: ['提问', 'questions'], objection: ['异议', 'objections'] };
const ends: Record<string, [string, string]> = { closed: ['有效期结束', 'Its validity ended'], cancelled: ['已停止并撤销', 'Stopped and withdrawn'], superseded: ['已被更正替代', 'Replaced by its correction'], all_clear: ['已解除', 'All clear'] };
const visits: Record<string, [string, string]> = { open: ['待完成', 'open'], informed: ['已告知', 'informed'], not_found: ['未找到', 'not found'], refused: ['拒绝', 'refused'], needs_help: ['需要帮助', 'in need of help'], dropped: ['不必再访', 'not needed any more'] };
/** A member of staff who reported is known to the audit, not shown here. */
const sourceWord = (source: string) => (source.startsWith('staff:') ? say('工作人员上报', 'a member of staff') : source);
const wordOf = (of: Record<string, [string, string]>, name: string) => (of[name] ? say(...of[name]) : name);
const back = (action: string) => action.startsWith('return') || ['refuse', 'decline', 'cancel', 'discard'].includes(action);

/** A time within the day of the entry, else with its date. */
const until = (at: string) => moment(at);

export function said(entry: StoryEntry): Said {
  const told = (group: Group, line: string, more: Partial<Said> = {}): Said => ({ group, line, who: '', details: [], quote: '', bad: false, ...more });
  switch (entry.kind) {
    case 'record':
      return told('source', say(`依据记录 ${entry.record_no}${entry.record_kind ? `：${kindWord(entry.record_kind)}` : ''}`, `Record ${entry.record_no} behind it${entry.record_kind ? `: ${kindWord(entry.record_kind)}` : ''}`), {
        details: [say(`来源 ${sourceWord(entry.source)}，${entry.place ? '关于地点' : '关于一位居民'}，发生于 ${until(entry.occurred_at)}`, `from ${sourceWord(entry.source)}, about ${entry.place ? 'a place' : 'a resident'}, of ${until(entry.occurred_at)}`),
          ...(entry.ended_at ? [say(`后被来源更正或撤回（${until(entry.ended_at)}）`, `corrected or taken back by its source since (${until(entry.ended_at)})`)] : [])],
        bad: !!entry.ended_at,
      });
    case 'step': {
      const noes = entry.answers.filter(({ answer }) => answer === 'no');
      return told('review', say(`${stepWord(entry.action)}（第 ${entry.version} 版）`, `${stepWord(entry.action)} (version ${entry.version})`), {
        who: personWord(entry.by),
        details: [
          ...(entry.content_changed ? [say('内容有改动', 'its content changed')] : []),
          ...(entry.passage ? [`${fieldWord(entry.passage.field)} · ${languageWord(entry.passage.language)}${say('：', ': ')}${entry.passage.quote}`] : []),
          ...(entry.public_reason ? [say(`告诉居民的原因：${publicReasonWord(entry.public_reason)}`, `As residents were told: ${publicReasonWord(entry.public_reason)}`)] : []),
          ...(entry.answers.length ? [noes.length ? say(`核对 ${entry.answers.length} 项，${noes.length} 项为“否”`, `${entry.answers.length} items answered, ${noes.length} with no`) : say(`核对 ${entry.answers.length} 项，均无问题`, `${entry.answers.length} items answered, none with no`)] : entry.checked.length ? [say(`已核对：${entry.checked.map(checkWord).join('；')}`, `Made sure: ${entry.checked.map(checkWord).join('; ')}`)] : []),
          ...noes.map(({ question, question_en, note }) => say(`否：${question}${note ? `（${note}）` : ''}`, `No: ${question_en}${note ? ` (${note})` : ''}`)),
        ],
        quote: entry.reason ?? '',
        bad: back(entry.action),
      });
    }
    case 'sealed':
      return told('review', say('封存批准的内容', 'What was approved is sealed'), {
        details: [...entry.seal.texts.map(({ language, app, sms, screen }) => `${languageWord(language)}${say('：应用 ', ': app ')}${short(app)}${say('，短信 ', ', SMS ')}${short(sms)}${say('，屏幕 ', ', screens ')}${short(screen)}`),
          say(`受众 ${short(entry.seal.audience)}，${entry.seal.people == null ? '未计人数' : `${headcount(entry.seal.people)} 人`}`, `audience ${short(entry.seal.audience)}, ${entry.seal.people == null ? 'no number' : `${headcount(entry.seal.people)} people`}`)],
      });
    case 'word':
      return told('ending', say(`${wordOf(kinds, entry.what)}：${wordOf(words, entry.progress)}`, `${wordOf(kinds, entry.what)}: ${wordOf(words, entry.progress)}`), {
        who: personWord(entry.by), quote: entry.reason ?? '',
        details: Object.entries(entry.texts).map(([language, text]) => `${languageWord(language)}${say('：', ': ')}${text.headline}`),
      });
    case 'released':
      return told('sending', say('开始推送', 'Sending began'));
    case 'wave': {
      const happened = { began: say('开始编排名单', 'planning began'), planned: say(`名单已排好，${number(entry.people)} 人`, `planned for ${number(entry.people)} people`), done: say('全部完成', 'all done') }[entry.event];
      return told('sending', `${waveWord(entry.wave)}${say('：', ': ')}${happened}`, { details: entry.no_channel ? [say(`${number(entry.no_channel)} 人没有可用方式`, `${number(entry.no_channel)} by neither way`)] : [] });
    }
    case 'handed':
      return told('sending', `${waveWord(entry.wave)} · ${channelWord(entry.channel)}${say('：', ': ')}${sum(entry.handed_over, entry.unreachable)}`, {
        details: [
          ...(entry.first_at ? [say(`第一人 ${until(entry.first_at)}`, `first ${until(entry.first_at)}`)] : []),
          ...(entry.open ? [say(`${number(entry.open)} 人未完成`, `${number(entry.open)} still open`)] : []),
          ...(entry.withdrawn ? [say(`${number(entry.withdrawn)} 人不再发送`, `${number(entry.withdrawn)} not sent any more`)] : []),
        ],
      });
    case 'unlike_approved': {
      const what = [wordOf(parts, entry.part), entry.language ? languageWord(entry.language) : '', entry.channel ? channelWord(entry.channel) : ''].filter(Boolean).join(' · ');
      const value = (told: string) => (entry.part === 'people' ? headcount(Number(told)) : short(told));
      return told('sending', say(`与批准的不一致，已暂停：${what}`, `Not what was approved, held: ${what}`), { details: [say(`批准 ${value(entry.approved)}，现为 ${value(entry.found)}`, `approved ${value(entry.approved)}, found ${value(entry.found)}`)], bad: true });
    }
    case 'went_on':
      return told('sending', say(`核实后放行，${headcount(Number(entry.planned))} 人`, `Let go on, for ${headcount(Number(entry.planned))} people`), { who: personWord(entry.by), quote: entry.reason ?? '' });
    case 'screens':
      return told('sending', entry.screens ? say(`${number(entry.screens)} 块公共屏幕显示`, `Shown on ${number(entry.screens)} public screens`) : say('交给公共屏幕，尚未显示', 'Given to public screens, shown on none yet'), { details: entry.plays === 0 ? [] : [say(`共显示 ${number(entry.plays)} 次`, `${number(entry.plays)} times`) + (entry.last_at ? say(`，最近 ${until(entry.last_at)}`, `, last ${until(entry.last_at)}`) : '')] });
    case 'acknowledged':
      return told('people', say(`这一小时 ${number(entry.people)} 人确认`, `${number(entry.people)} acknowledged in the hour`));
    case 'follow_ups':
      return told('people', say(`社区随访：${wordOf(visits, entry.outcome)} ${number(entry.people)} 人`, `Follow-ups: ${number(entry.people)} ${wordOf(visits, entry.outcome)}`));
    case 'withdrawn_for':
      return told('ending', say(`对 ${number(entry.people)} 人撤销`, `Withdrawn for ${number(entry.people)} people`), { bad: true });
    case 'feedback':
      return told('people', say(`居民反馈 ${number(entry.count)} 条：${wordOf(feedbacks, entry.kind_of)}`, `${number(entry.count)} answers of residents: ${wordOf(feedbacks, entry.kind_of)}`));
    case 'corrected_by':
      return told('ending', say(`由更正代替：${entry.headline}`, `Replaced by its correction: ${entry.headline}`));
    case 'ended':
      return told('ending', wordOf(ends, entry.how));
    default:
      // What this page does not know yet is named, not left out.
      return told('review', String((entry as { kind: string }).kind));
  }
}

/** The entries by the day in the city on which they happened, in the order in which they came. */
export function byDay(entries: readonly StoryEntry[]): { day: string; entries: StoryEntry[] }[] {
  const days: { day: string; entries: StoryEntry[] }[] = [];
  for (const entry of entries) {
    const day = new Date(Date.parse(entry.at) + 8 * 3_600_000).toISOString().slice(0, 10);
    if (days.at(-1)?.day !== day) days.push({ day, entries: [] });
    days.at(-1)!.entries.push(entry);
  }
  return days;
}
