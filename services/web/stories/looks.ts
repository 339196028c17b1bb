// How a page looks: nothing scrolls sideways, axe-core finds no violation, and a picture is kept to be looked at (`stories/pictures`).
import { mkdirSync, readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';

const AXE = readFileSync(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
const PICTURES = new URL('./pictures/', import.meta.url).pathname;

interface Violation { id: string; nodes: { html: string }[] }
declare const axe: { run: (options: unknown) => Promise<{ violations: Violation[] }> };

/** What is wrong with the page as it stands. */
export async function looksAt(page: Page, name: string): Promise<string[]> {
  mkdirSync(PICTURES, { recursive: true });
  // a page that looks again every now and then is quiet between its looks
  const quiet = await page.waitForLoadState('networkidle', { timeout: 15_000 }).then(() => true, () => false);
  // what moves comes to rest
  await page.evaluate(() => Promise.all(document.getAnimations().filter(({ effect }) => Number(effect?.getComputedTiming().endTime) < 2000).map(({ finished }) => finished.catch(() => undefined))));
  await page.screenshot({ path: `${PICTURES}${name}.png`, fullPage: true, animations: 'disabled' });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  await page.evaluate(AXE);
  const found = await page.evaluate(async () => (await axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })).violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => ({ html })) })));
  const told = (found as Violation[]).map(({ id, nodes }) => `${name}: ${id}: ${nodes.slice(0, 3).map(({ html }) => html.slice(0, 160)).join(' | ')}`);
  if (!quiet) told.push(`${name}: it asks the platform without end`);
  if (!name.endsWith(await page.evaluate(() => document.documentElement.lang))) told.push(`${name}: it speaks another language`);
  return wide > 0 ? [`${name}: ${wide}px too wide`, ...told] : told;
}
