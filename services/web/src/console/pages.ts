// The pages of the console: at which address, for which roles, and what the menu calls them. The platform decides what a role may
// do; a page that a role could do nothing on is not offered to it.
import type { Component } from 'svelte';
import { say } from '../words/say.svelte.ts';
import type { Role } from '../words/alert.ts';

export interface Page {
  /** `/alerts/:id`; a part with a colon is given to the page as a property. */
  path: string;
  roles: readonly Role[] | 'all';
  /** What the menu calls it; pages without are reached from others. */
  menu?: () => string;
  load: () => Promise<{ default: Component<Record<string, string>> }>;
}

const deciding: Role[] = ['city_command_officer', 'district_reviewer', 'submitting_unit'];
const reading: Role[] = [...deciding, 'industry_supervisor', 'community_worker', 'technical_operator', 'auditor'];

const takingCases: Role[] = ['hotline_operator', 'unit_handler', 'unit_lead', 'supervisor'];

const page = (load: () => Promise<unknown>) => load as Page['load'];

export const pages: readonly Page[] = [
  { path: '/', roles: 'all', menu: () => say('待办', 'To do'), load: page(() => import('./home/Home.svelte')) },
  { path: '/city', roles: ['city_command_officer', 'technical_operator', 'auditor'], menu: () => say('全市态势', 'The city'), load: page(() => import('./city/City.svelte')) },
  { path: '/urgent', roles: ['city_command_officer'], menu: () => say('紧急推送', 'Urgent push'), load: page(() => import('./city/Urgent.svelte')) },
  { path: '/alerts', roles: reading, menu: () => say('弹窗', 'Alerts'), load: page(() => import('./search/Alerts.svelte')) },
  { path: '/alerts/new', roles: deciding, load: page(() => import('./alert/Compose.svelte')) },
  { path: '/alerts/:id', roles: reading, load: page(() => import('./alert/Alert.svelte')) },
  { path: '/alerts/:id/edit', roles: deciding, load: page(() => import('./alert/Edit.svelte')) },
  { path: '/alerts/:id/retraction', roles: reading, load: page(() => import('./retraction/Retraction.svelte')) },
  { path: '/alerts/:id/playbook', roles: reading, load: page(() => import('./retraction/PlaybookPage.svelte')) },
  { path: '/alerts/:id/story', roles: reading, load: page(() => import('./story/Story.svelte')) },
  { path: '/alerts/:id/delivery', roles: reading, load: page(() => import('./delivery/Delivery.svelte')) },
  { path: '/sources', roles: ['submitting_unit', 'district_reviewer', 'city_command_officer', 'technical_operator', 'administrator'], menu: () => say('数据来源', 'Sources'), load: page(() => import('./sources/Sources.svelte')) },
  { path: '/sources/records', roles: ['submitting_unit', 'district_reviewer', 'community_worker', 'city_command_officer', 'technical_operator'], load: page(() => import('./search/Records.svelte')) },
  { path: '/sources/:id', roles: ['submitting_unit', 'district_reviewer', 'city_command_officer'], load: page(() => import('./sources/Load.svelte')) },
  { path: '/community', roles: ['community_worker', 'district_reviewer', 'city_command_officer'], menu: () => say('社区随访', 'Follow-ups'), load: page(() => import('./community/Community.svelte')) },
  { path: '/standings', roles: ['community_worker', 'district_reviewer', 'city_command_officer', 'auditor'], menu: () => say('个人要求', 'Standings'), load: page(() => import('./standings/Standings.svelte')) },
  { path: '/named-by-hand', roles: ['city_command_officer', 'auditor'], load: page(() => import('./standings/NamedByHand.svelte')) },
  { path: '/identity', roles: ['community_worker', 'district_reviewer'], menu: () => say('证件核验', 'Identity checks'), load: page(() => import('./community/Identity.svelte')) },
  { path: '/report', roles: ['community_worker', 'district_reviewer', 'submitting_unit'], menu: () => say('情况上报', 'Report'), load: page(() => import('./community/Report.svelte')) },
  { path: '/feedback', roles: ['community_worker', 'district_reviewer', 'city_command_officer'], menu: () => say('居民反馈', 'Feedback'), load: page(() => import('./community/Feedback.svelte')) },
  { path: '/call', roles: ['hotline_operator'], menu: () => say('接听来电', 'Take a call'), load: page(() => import('./casework/Call.svelte')) },
  { path: '/entry', roles: ['community_worker'], menu: () => say('代为登记', 'Enter a case'), load: page(() => import('./casework/Call.svelte')) },
  { path: '/supervision', roles: ['supervisor', 'city_command_officer'], menu: () => say('督办', 'Supervision'), load: page(() => import('./casework/Supervision.svelte')) },
  { path: '/casework', roles: takingCases, menu: () => say('诉求', 'Cases'), load: page(() => import('./casework/Casework.svelte')) },
  { path: '/casework/working-days', roles: takingCases, load: page(() => import('./casework/WorkingDays.svelte')) },
  { path: '/casework/:number', roles: takingCases, load: page(() => import('./casework/Case.svelte')) },
  { path: '/casework/:number/letter', roles: takingCases, load: page(() => import('./casework/Letter.svelte')) },
  { path: '/rules', roles: reading, menu: () => say('规则', 'Rules'), load: page(() => import('./administration/Rules.svelte')) },
  { path: '/screens', roles: ['city_command_officer', 'district_reviewer', 'technical_operator', 'administrator'], menu: () => say('屏幕', 'Screens'), load: page(() => import('./administration/Screens.svelte')) },
  { path: '/staff', roles: ['administrator'], menu: () => say('人员与密钥', 'Staff and keys'), load: page(() => import('./administration/Staff.svelte')) },
  { path: '/units', roles: ['administrator'], menu: () => say('承办单位', 'Units'), load: page(() => import('./casework/Units.svelte')) },
  { path: '/proposals', roles: ['administrator', 'city_command_officer', 'auditor'], menu: () => say('账号变更', 'Account changes'), load: page(() => import('./administration/AccountChanges.svelte')) },
  { path: '/jobs', roles: ['technical_operator', 'administrator', 'auditor'], menu: () => say('定时任务', 'Scheduled work'), load: page(() => import('./administration/Jobs.svelte')) },
  { path: '/jobs/:name', roles: ['technical_operator', 'administrator', 'auditor'], load: page(() => import('./administration/Job.svelte')) },
  { path: '/dead-letters', roles: ['technical_operator', 'administrator', 'auditor'], menu: () => say('死信', 'Dead letters'), load: page(() => import('./administration/DeadLetters.svelte')) },
  { path: '/settings', roles: 'all', menu: () => say('时段与限额', 'Hours and limits'), load: page(() => import('./administration/Settings.svelte')) },
  { path: '/glossary', roles: 'all', menu: () => say('词汇表', 'Glossary'), load: page(() => import('./glossary/Glossary.svelte')) },
  { path: '/acts', roles: 'all', load: page(() => import('./acts/Acts.svelte')) },
  { path: '/security', roles: 'all', menu: () => say('登录与安全', 'Sign-in and security'), load: page(() => import('./security/Security.svelte')) },
];

/** Who is told of deadlines in danger, wherever they are. The platform decides; this saves the others the question. */
export const toldOfDanger: readonly Role[] = ['city_command_officer', 'technical_operator'];

/** The page at this address with what the address says, if the role may have it. */
export function pageAt(path: string, role: Role): { page: Page; parts: Record<string, string> } | null {
  const asked = path.split('/');
  for (const page of pages) {
    const pattern = page.path.split('/');
    if (pattern.length !== asked.length) continue;
    const parts: Record<string, string> = {};
    const fits = pattern.every((part, at) => {
      const said = asked[at] ?? '';
      if (!part.startsWith(':')) return part === said;
      parts[part.slice(1)] = said;
      return said !== '';
    });
    if (fits) return isFor(page, role) ? { page, parts } : null;
  }
  return null;
}

/** Whether a role is offered the page. */
export function isFor(page: Page, role: Role): boolean {
  return page.roles === 'all' || page.roles.includes(role);
}
