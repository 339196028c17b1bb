// Which of the app's views is open: what stands after the # of the address, so that the browser's way back works.

const at = $state({ view: location.hash.slice(1) });
addEventListener('hashchange', () => (at.view = location.hash.slice(1)));

/** `/`, `/alerts/<id>`, `/cases`, `/cases/new/<kind>`, `/said`, `/me`. */
export const view = (): string => at.view || '/';

/** Goes there. */
export function go(view: string): void {
  location.hash = view;
}
