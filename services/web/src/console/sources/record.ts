// The words of risk records, as people who deliver and read them say them.
import type { Schema } from '../../api/client.ts';
import { say } from '../../words/say.svelte.ts';

export type Kind = Schema['RecordKind'];
export type Origin = Schema['Origin'];
export type Level = Schema['RiskLevel'];

export const kinds = [
  'community_report', 'test_result', 'case', 'close_contact', 'secondary_contact', 'place_visited', 'arrival_from_risk_area', 'analysis_finding',
] as const satisfies readonly Kind[];
export const origins = ['surveillance', 'analysis', 'grassroots'] as const satisfies readonly Origin[];
export const levels = ['low', 'medium', 'high'] as const satisfies readonly Level[];

const wordOf = (words: Record<string, [string, string]>, of: string) => {
  const found = words[of];
  return found ? say(...found) : of;
};

export const kindWord = (kind: string) =>
  wordOf({
    test_result: ['检测结果', 'Test result'],
    case: ['病例', 'Case'],
    close_contact: ['密切接触者', 'Close contact'],
    secondary_contact: ['次密切接触者', 'Secondary contact'],
    place_visited: ['到访风险场所', 'Visit to a risk place'],
    arrival_from_risk_area: ['自风险地区抵达', 'Arrival from a risk area'],
    analysis_finding: ['数据分析结果', 'Finding of an analysis'],
    community_report: ['社区（村）上报', 'Community report'],
  }, kind);

export const originWord = (origin: string) =>
  wordOf({
    surveillance: ['疫情监测', 'Surveillance'],
    analysis: ['数据分析', 'Data analysis'],
    grassroots: ['基层上报', 'Grassroots'],
  }, origin);

export const levelWord = (level: string) =>
  wordOf({ low: ['低风险', 'Low risk'], medium: ['中风险', 'Medium risk'], high: ['高风险', 'High risk'] }, level);

/** What a column of a delivery is called, in words; attributes keep their own names. */
export const fieldWord = (field: string) =>
  wordOf({
    source_id: ['编号', 'Id'],
    kind: ['类型', 'Kind'],
    origin: ['来源类别', 'Origin'],
    occurred_at: ['发生时间', 'When'],
    level: ['风险等级', 'Level'],
    subject: ['对象', 'Subject'],
    phone: ['手机号', 'Phone'],
    identity_number: ['证件号码', 'Identity number'],
    identity_kind: ['证件类型', 'Identity document'],
    number_country: ['国家或地区', 'Country or region'],
    resident_no: ['居民编号', 'Resident no.'],
    place: ['地点代码', 'Place code'],
    district: ['区县', 'District'],
    township: ['街道（乡镇）', 'Township'],
    community: ['社区（村）', 'Community'],
    correction: ['更正', 'Correction'],
    correction_reason: ['更正原因', 'Why it is corrected'],
    row: ['整行', 'Whole row'],
  }, field.replace(/^(subject|attributes)\./, ''));
