// Why a whole page cannot be shown, and what its reader can do about it.
import type { Problem } from '../api/client.ts';

export type Trouble = 'missing' | 'forbidden' | 'away' | 'failed' | 'refused';

/** Which trouble a problem is. */
export function troubleOf(problem: Pick<Problem, 'status' | 'isAway'>): Trouble {
  if (problem.isAway) return 'away';
  if (problem.status === 404 || problem.status === 410) return 'missing';
  if (problem.status === 401 || problem.status === 403) return 'forbidden';
  return problem.status >= 500 || problem.status < 0 ? 'failed' : 'refused';
}

/** Whether asking the same again can end otherwise: never for what is not there or not for this reader. */
export function canRetry(trouble: Trouble): boolean {
  return trouble !== 'missing' && trouble !== 'forbidden';
}

/** Whether the page tries again by itself. */
export function triesAlone(trouble: Trouble): boolean {
  return trouble === 'away' || trouble === 'failed';
}

/** The heading, in both languages. */
export const headings: Record<Trouble, [zh: string, en: string]> = {
  missing: ['没有这个页面', 'There is no such page'],
  forbidden: ['您不能查看这个页面', 'This page is not open to you'],
  away: ['连接不上平台', 'The platform cannot be reached'],
  failed: ['平台出错了', 'The platform failed'],
  refused: ['现在不能显示', 'This cannot be shown now'],
};

/** What it means and what to do, in both languages. */
export const advice: Record<Trouble, [zh: string, en: string]> = {
  missing: ['地址有误，或内容已按保存期限删除，或不在您的范围内。', 'The address is wrong, what stood here was deleted when its time was over, or it lies outside your area.'],
  forbidden: ['您的角色不使用此页面。如果工作需要，请联系管理员。', 'Your role does not use this page. If your work needs it, ask an administrator.'],
  away: ['网络或平台暂时中断。已填写的内容不会丢失，恢复后自动显示。', 'The network or the platform is away. Nothing you wrote is lost; the page shows itself once it is back.'],
  failed: ['不是您的操作有误。平台会自动重试；一直不好请联系技术支撑。', 'You did nothing wrong. It is tried again by itself; if it stays like this, tell the operator.'],
  refused: ['请按下面的说明处理后重试。', 'Do as it says below, then try again.'],
};
