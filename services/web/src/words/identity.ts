// The kinds of identity documents, and the countries that issue passports.
import type { Schema } from '../api/client.ts';
import { say, tongue } from './say.svelte.ts';

export type IdentityKind = Schema['IdentityKind'];

/** In the order of how many people in the city have one. */
export const identityKinds = [
  'identity_card', 'hong_kong_macao_permit', 'taiwan_permit', 'residence_permit', 'permanent_resident_card', 'passport',
] as const satisfies readonly IdentityKind[];

const words: Record<IdentityKind, [string, string]> = {
  identity_card: ['居民身份证', 'Identity card'],
  hong_kong_macao_permit: ['港澳居民来往内地通行证（回乡证）', 'Mainland travel permit (Hong Kong, Macao)'],
  taiwan_permit: ['台湾居民来往大陆通行证（台胞证）', 'Mainland travel permit (Taiwan)'],
  residence_permit: ['港澳台居民居住证', 'Residence permit (Hong Kong, Macao, Taiwan)'],
  permanent_resident_card: ['外国人永久居留身份证', 'Permanent resident card of a foreigner'],
  passport: ['护照', 'Passport'],
};

export const identityWord = (kind: IdentityKind) => say(...words[kind]);

/** What the number of a document looks like. */
export const identityHint = (kind: IdentityKind) =>
  say(...({
    identity_card: ['18 位，末位可为 X', '17 digits and a digit or X'],
    hong_kong_macao_permit: ['H 或 M 加 8 位或 10 位数字', 'H or M and 8 or 10 digits'],
    taiwan_permit: ['8 位数字；旧证为 10 位数字加字母', '8 digits; on older ones 10 digits and a letter'],
    residence_permit: ['18 位，以 810000、820000 或 830000 开头', '18 characters from 810000, 820000 or 830000 on'],
    permanent_resident_card: ['9 开头的 18 位；旧证为 3 个字母加 12 位数字', '18 characters from 9 on; on older ones 3 letters and 12 digits'],
    passport: ['6 至 9 位字母和数字', '6 to 9 letters and digits'],
  } satisfies Record<IdentityKind, [string, string]>)[kind]);

// ISO 3166-1, and Kosovo.
const codes = (
  'AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR ' +
  'CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ' +
  'ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ ' +
  'MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI ' +
  'SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW'
).split(' ');

const ours: Record<string, [string, string]> = { HK: ['中国香港', 'Hong Kong (China)'], MO: ['中国澳门', 'Macao (China)'], TW: ['中国台湾', 'Taiwan (China)'] };

/** Every country and region, by its code of two letters and its name, in the order of the names. */
export function countries(): { value: string; label: string }[] {
  const names = new Intl.DisplayNames([tongue()], { type: 'region' });
  const order = new Intl.Collator(tongue()).compare;
  const nameOf = (code: string) => (ours[code] ? say(...ours[code]) : names.of(code) ?? code);
  return codes.map((value) => ({ value, label: nameOf(value) })).sort((one, other) => order(one.label, other.label));
}
