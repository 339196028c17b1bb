// Which parts of a content differ from another's, each in words.
import { say } from '../../words/say.svelte.ts';
import { moment, span } from '../../words/time.svelte.ts';
import { categoryWord, certaintyWord, severityWord, urgencyWord } from './cap.ts';
import { textFields, type AlertContent } from './contract.ts';
import { languages } from './texts.ts';
import { fieldWord, languageWord } from './textwords.ts';

export interface Change { name: string; language?: string; before: string; after: string }

/** Everything that differs, texts first. */
export function changes(before: AlertContent, after: AlertContent): Change[] {
  const texts = languages.flatMap((language) =>
    textFields.map((field): Change => ({
      name: `${fieldWord(field)} · ${languageWord(language)}`,
      language,
      before: before.texts[language]?.[field] ?? '',
      after: after.texts[language]?.[field] ?? '',
    })),
  );
  const rest = others(after);
  const old = others(before);
  return [...texts, ...rest.map(([name, value], at): Change => ({ name, before: old[at]?.[1] ?? '', after: value }))].filter((change) => change.before !== change.after);
}

function others(content: AlertContent): [string, string][] {
  return [
    [say('实际或演练', 'Live or exercise'), content.status === 'exercise' ? say('演练', 'Exercise') : say('实际', 'Live')],
    [say('类别', 'About'), categoryWord(content.category)],
    [say('紧迫程度', 'How soon'), urgencyWord(content.urgency)],
    [say('严重程度', 'How bad'), severityWord(content.severity)],
    [say('确定程度', 'How sure'), certaintyWord(content.certainty)],
    [say('发布目的', 'Purpose'), content.purpose],
    [say('咨询方式', 'Contact'), content.contact],
    [say('地点', 'Place'), content.place ? `${content.place.name} (${content.place.area})` : say('无', 'none')],
    [say('有效期至', 'Valid until'), moment(content.expires_at)],
    [say('确认时限', 'To acknowledge within'), span(content.ack_window_s * 1000)],
    [say('公共屏幕', 'Public screens'), content.display ? say('显示', 'shown') : say('不显示', 'not shown')],
    [say('来源说明', 'Source'), content.source_note ?? ''],
  ];
}
