import { describe, expect, it } from 'vitest';
import { inWords, parse, type Names } from './condition.ts';

const values: Record<string, string> = { high: '高风险', medium: '中风险', case: '病例', positive: '阳性', drinking_water: '饮用水' };
const fields: Record<string, string> = { level: '风险等级', kind: '类型', 'attributes.result': '检测结果', 'attributes.hazard': '危害' };
const chinese: Names = { english: false, field: (name) => fields[name] ?? name, value: (_, value) => values[value] ?? value };
const english: Names = { english: true, field: (name) => name.replace('attributes.', ''), value: (_, value) => value };

describe('a condition in words', () => {
  it.each([
    ['age_hours < 504', ['发生不到 21 天'], ['it happened less than 21 days ago']],
    ['level == "high" && age_hours < 30', ['风险等级是高风险', '发生不到 30 小时'], ['level is high', 'it happened less than 30 hours ago']],
    ['age_hours < 504 && (kind == "case" || attributes.result == "positive")', ['发生不到 21 天', '类型是病例，或者检测结果是阳性'], ['it happened less than 21 days ago', 'kind is case or result is positive']],
    ['level in ["medium", "high"]', ['风险等级是下列之一：中风险、高风险'], ['level is one of: medium, high']],
    ['!("hazard" in attributes) || attributes.hazard != "drinking_water"', ['没有写明危害，或者危害不是饮用水'], ['hazard is not said or hazard is not drinking_water']],
    ['district.startsWith("5001")', ['district以“5001”开头'], ['district begins with “5001”']],
    ['attributes.hours_there >= 0.25', ['attributes.hours_there不少于0.25'], ['hours_there is at least 0.25']],
    ['true', ['所有记录'], ['every record']],
  ])('%s', (source, zh, en) => {
    expect(inWords(source, chinese)).toEqual(zh);
    expect(inWords(source, english)).toEqual(en);
  });

  it('keeps what belongs together in brackets', () => {
    expect(inWords('true || level == "high" && age_hours > 48', english)).toEqual(['every record or (level is high and it happened more than 2 days ago)']);
  });

  it.each(['level ==', 'size(kind) > 3', 'a && && b', 'level == "high" extra', '#'])('%s cannot be read out', (source) => {
    expect(parse(source)).toBeNull();
  });
});
