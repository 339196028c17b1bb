// What each kind of case is for and how its questions are put, in the words of whoever has the trouble.
import { say } from '../../words/say.svelte.ts';
import type { BegunKind, Field } from './form.ts';

/** What the start calls it, and what it is for. */
export function kindSaid(kind: BegunKind): { name: string; means: string } {
  switch (kind) {
    case 'urgent_help':
      return { name: say('急需帮助', 'I need help now'), means: say('就医、用药、生活物资、照护，等不了', 'Care, medicine, food or somebody to look after: it cannot wait') };
    case 'consultation':
      return { name: say('问', 'Ask'), means: say('隔离、检测、接种、政策，不清楚就问', 'Isolation, tests, vaccination, rules: whatever is not clear') };
    case 'complaint':
      return { name: say('投诉', 'Complain'), means: say('对医院、疾控、社区等单位的做法不满意', 'About a hospital, a health centre, a community or another body') };
    case 'psychological':
      return { name: say('找人说说', 'Talk to somebody'), means: say('焦虑、睡不着、心里难受', 'Worried, sleepless, low') };
    case 'problem_report':
      return { name: say('反映问题', 'Report a problem'), means: say('看到了健康风险或管理上的问题', 'A health risk, or something that does not work') };
    case 'violation_report':
      return { name: say('举报', 'Report a violation'), means: say('有人或单位违反规定；可以不留姓名和电话', 'Somebody breaks the rules; no name or number is needed') };
  }
}

/** A question in words, with what helps to answer it. */
export function questionOf(kind: BegunKind, field: Field): { label: string; hint?: string } {
  switch (field) {
    case 'against':
      return kind === 'violation_report'
        ? { label: say('举报谁', 'Whom it is about'), hint: say('单位名称，或人名和单位', 'The name of the body, or of the person and where they work') }
        : { label: say('投诉哪个单位', 'Which body it is about'), hint: say('如：某某社区卫生服务中心', 'Such as: health centre of …') };
    case 'text':
      return {
        label: {
          urgent_help: say('需要什么帮助', 'What help you need'), consultation: say('您想问什么', 'Your question'), complaint: say('发生了什么', 'What happened'),
          psychological: say('想说什么都可以', 'Whatever you want to say'), problem_report: say('看到了什么', 'What you saw'), violation_report: say('做了什么，什么时候', 'What was done, and when'),
        }[kind],
        hint: say('用自己的话写。请不要写身份证号。', 'In your own words. Please leave out identity numbers.'),
      };
    case 'request':
      return { label: say('您希望怎样解决', 'What outcome you want'), hint: say('写清楚，答复时会逐条回应', 'Say it plainly: the answer will speak to it') };
    case 'area':
      return { label: say('在哪个区县', 'Where') };
    case 'place':
      return { label: say('具体位置', 'The place itself'), hint: kind === 'urgent_help' ? say('小区、楼栋、门牌，便于上门', 'Estate, building, door: so that somebody can come') : say('街道、市场、楼栋等', 'Street, market, building') };
    case 'phone':
      return {
        label: say('联系手机', 'Mobile to reach you'),
        hint: kind === 'urgent_help' ? say('请尽量留下：没有电话，我们很难找到您', 'Please leave one: without it you are hard to find') : say('只给承办人员联系您用；不留也受理', 'Only for those who deal with it; taken without one, too'),
      };
    case 'name':
      return { label: say('怎么称呼您', 'Your name') };
  }
}

/** Frequent needs, to begin with one press. */
export const needsOf = (kind: BegunKind): string[] =>
  kind === 'urgent_help'
    ? [say('需要送医', 'I need to get to a doctor'), say('缺药', 'Medicine has run out'), say('缺食物和生活物资', 'Food has run out'), say('老人需要照护', 'An old person needs care'), say('孕产妇需要就诊', 'A pregnant woman needs care')]
    : [];
