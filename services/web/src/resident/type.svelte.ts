// Large type, for eyes that want it. Kept.

const KEPT = 'fenghuo.large';
const mode = $state({ large: read() });
show();

function read(): boolean {
  try {
    return localStorage.getItem(KEPT) === 'yes';
  } catch {
    return false;
  }
}

function show(): void {
  document.documentElement.classList.toggle('large-type', mode.large);
}

export const isLarge = () => mode.large;

export function enlarge(large: boolean): void {
  mode.large = large;
  show();
  try {
    localStorage.setItem(KEPT, large ? 'yes' : 'no');
  } catch {
    // Large until the page is closed.
  }
}
