// Where in the console one is: the address after /console. Links are ordinary links; those inside are followed without a
// reload, and the heading of the new page gets the focus, as a reload would do for those who listen.
import { tick } from 'svelte';

const BASE = '/console';

const here = $state({ path: readPath(), query: new URLSearchParams(location.search) });

function readPath(): string {
  const path = location.pathname.slice(BASE.length).replace(/\/+$/, '');
  return path || '/';
}

function arrived(): void {
  here.path = readPath();
  here.query = new URLSearchParams(location.search);
}

addEventListener('popstate', arrived);
document.addEventListener('click', (event) => {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = event.composedPath().find((node): node is HTMLAnchorElement => node instanceof HTMLAnchorElement);
  if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin || !link.pathname.startsWith(BASE)) return;
  if (link.hash && link.pathname === location.pathname) return;
  event.preventDefault();
  go(link.pathname.slice(BASE.length) + link.search);
});

/** Goes to a page of the console: `/alerts/0198…`. */
export function go(path: string): void {
  history.pushState(null, '', BASE + (path === '/' ? '' : path));
  arrived();
  void tick().then(() => scrollTo(0, 0));
  went = true;
}

/** What was decided at the foot of a page is told at its head: one is taken there, as by a reload. */
export function toTheTop(): void {
  went = true;
  settle();
  void tick().then(() => scrollTo(0, 0));
}

let went = false;

/** The page that one went to stands there: its heading gets the focus, as a reload would do for those who listen. Not at the first page, which nobody went to. */
export function settle(): void {
  if (!went) return;
  went = false;
  void tick().then(() => {
    const heading = document.querySelector<HTMLElement>('main h1');
    heading?.setAttribute('tabindex', '-1');
    heading?.focus({ preventScroll: true });
  });
}

/** The address of a page of the console, for links. */
export function to(path: string): string {
  return BASE + (path === '/' ? '' : path);
}

/** Which page: `/`, `/alerts/0198…`. */
export function path(): string {
  return here.path;
}

/** What stands after the question mark. */
export function query(): URLSearchParams {
  return here.query;
}
