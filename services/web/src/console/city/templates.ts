// What an urgent push usually says, ready in both languages. What only the moment knows stands in braces: the platform refuses a text
// with a brace that nobody filled, so a template cannot be sent by mistake.
import type { Schema } from '../../api/client.ts';

export type Texts = Record<string, Schema['AlertText']>;
export interface Template {
  id: string;
  title: [string, string];
  category: Schema['Category'];
  severity: Schema['Severity'];
  purpose: string;
  texts: Texts;
}

export const templates: readonly Template[] = [
  {
    id: 'boil_water', title: ['饮用水异常', 'Boil water'], category: 'infra', severity: 'severe', purpose: '防止饮用水污染造成健康危害',
    texts: {
      'zh-CN': {
        headline: '请勿直接饮用自来水',
        body: '{place}一带自来水检测异常，可能影响健康。供水部门正在处理，恢复后另行通知。',
        instruction: '饮用、做饭、刷牙的水请先煮沸 5 分钟，或使用瓶装水。\n已饮用并出现腹泻、呕吐的，请及时就医。\n请告知家中老人和孩子。',
        sms: '{place}一带自来水检测异常，饮用、做饭、刷牙的水请先煮沸5分钟或用瓶装水，不适请就医。恢复后另行通知。',
      },
      en: {
        headline: 'Do not drink tap water unboiled',
        body: 'Tap water around {place} does not meet the standard and may harm your health. It is being mended; you will be told when it is safe again.',
        instruction: 'Boil water for 5 minutes before drinking, cooking or brushing teeth, or use bottled water.\nIf you drank it and have diarrhoea or vomiting, see a doctor.\nTell older people and children at home.',
        sms: 'Tap water around {place} is not safe. Boil it for 5 minutes before drinking, cooking or brushing teeth, or use bottled water. If you feel ill, see a doctor.',
      },
    },
  },
  {
    id: 'stay_indoors', title: ['留在室内', 'Stay indoors'], category: 'cbrne', severity: 'extreme', purpose: '减少有害气体对居民的伤害',
    texts: {
      'zh-CN': {
        headline: '请立即进入室内，关好门窗',
        body: '{place}发生{event}，空气可能有害。有关部门正在处置。',
        instruction: '请立即进入室内，关好门窗，关闭空调和排风扇。\n留在室内，直到收到解除通知。\n不要前往事发地，保持道路畅通。',
        sms: '{place}发生{event}，空气可能有害。请立即进入室内，关好门窗和空调，等待解除通知，不要前往事发地。',
      },
      en: {
        headline: 'Go indoors now and close doors and windows',
        body: '{event} at {place}: the air may be harmful. The authorities are dealing with it.',
        instruction: 'Go indoors at once, close doors and windows, turn off air conditioning and fans.\nStay inside until you are told that it is over.\nDo not go there; keep the roads free.',
        sms: '{event} at {place}: the air may be harmful. Go indoors now, close doors and windows, turn off air conditioning, wait for the all-clear.',
      },
    },
  },
  {
    id: 'avoid_place', title: ['避开某地', 'Avoid a place'], category: 'health', severity: 'severe', purpose: '减少人员在风险地点聚集',
    texts: {
      'zh-CN': {
        headline: '请暂时不要前往{place}',
        body: '{place}发现健康风险，正在管控处置。',
        instruction: '请暂时不要前往{place}，已在现场的请按工作人员指引离开。\n{since}以来到过该处的，请留意健康，出现发热、咳嗽请戴口罩就医并说明情况。',
        sms: '{place}发现健康风险，正在处置，请暂时不要前往。{since}以来到过的请留意健康，出现发热、咳嗽请戴口罩就医并说明情况。',
      },
      en: {
        headline: 'Keep away from {place} for now',
        body: 'A health risk was found at {place}. It is being dealt with.',
        instruction: 'Do not go to {place} for now. If you are there, leave as the staff direct.\nIf you were there since {since}, watch your health; with fever or cough wear a mask, see a doctor and say where you were.',
        sms: 'A health risk was found at {place}; keep away for now. If you were there since {since}, watch your health; with fever or cough wear a mask and see a doctor.',
      },
    },
  },
  {
    id: 'take_test', title: ['参加检测', 'Take a test'], category: 'health', severity: 'severe', purpose: '尽快发现感染者，阻断传播',
    texts: {
      'zh-CN': {
        headline: '请于{deadline}前参加检测',
        body: '{place}发现传染病病例，需要尽快找到可能感染的人。检测免费。',
        instruction: '请于{deadline}前到就近检测点参加检测，带身份证件，戴口罩，保持距离。\n结果出来前请减少外出。\n有发热、咳嗽的请不要去检测点，直接到发热门诊。',
        sms: '{place}发现传染病病例，请于{deadline}前到就近检测点免费检测，戴口罩、带证件，结果出来前减少外出。有症状请到发热门诊。',
      },
      en: {
        headline: 'Take a test before {deadline}',
        body: 'Cases of an infectious disease were found at {place}; those who may be infected have to be found quickly. The test is free.',
        instruction: 'Go to the nearest test site before {deadline}; bring your identity document, wear a mask, keep your distance.\nGo out as little as possible until you have the result.\nWith fever or cough do not go there but to a fever clinic.',
        sms: 'Cases of an infectious disease were found at {place}. Take a free test at the nearest site before {deadline}; wear a mask, bring your ID. With symptoms go to a fever clinic.',
      },
    },
  },
];

const BLANK = /\{([a-z0-9_]+)\}/g;

/** The blanks that still stand in the texts of a language, each once. */
export function blanks(texts: Texts, language: string): string[] {
  const text = texts[language];
  const all = text ? [text.headline, text.body, text.instruction, text.sms].join(' ') : '';
  return [...new Set([...all.matchAll(BLANK)].map((found) => found[1] ?? ''))];
}

/** The texts of a language with its blanks filled; what was left empty stays a blank. */
export function filled(texts: Texts, language: string, words: Record<string, string>): Texts {
  const text = texts[language];
  if (!text) return texts;
  const fill = (line: string) => line.replace(BLANK, (blank, name: string) => words[name]?.trim() || blank);
  return { ...texts, [language]: { headline: fill(text.headline), body: fill(text.body), instruction: fill(text.instruction), sms: fill(text.sms) } };
}

/** What a blank asks for. */
export function blankWord(name: string): [string, string] {
  const words: Record<string, [string, string]> = {
    place: ['地点', 'Place'], event: ['发生了什么', 'What happened'], since: ['从何时起', 'Since when'], deadline: ['截止时间', 'Until when'],
  };
  return words[name] ?? [name, name];
}
