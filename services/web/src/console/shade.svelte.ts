// Whether the console is light or dark: as the device is, unless its reader chose. Kept in this browser.
import { shadeOf, type Choice, type Shade } from './shade.ts';

const KEPT = 'fenghuo.shade';
const night = matchMedia('(prefers-color-scheme: dark)');
const state = $state<{ choice: Choice; night: boolean }>({ choice: kept(), night: night.matches });

night.addEventListener('change', ({ matches }) => {
  state.night = matches;
  show();
});
// Other tabs of the same desk go along.
addEventListener('storage', (event) => {
  if ((event as StorageEvent).key !== KEPT) return;
  state.choice = kept();
  show();
});
show();

function kept(): Choice {
  try {
    const said = localStorage.getItem(KEPT);
    return said === 'light' || said === 'dark' ? said : 'device';
  } catch {
    return 'device';
  }
}

function show(): void {
  document.documentElement.dataset['shade'] = shadeOf(state.choice, state.night);
}

export const choice = (): Choice => state.choice;

/** How the page looks now. */
export const shade = (): Shade => shadeOf(state.choice, state.night);

export function choose(wanted: Choice): void {
  state.choice = wanted;
  show();
  try {
    localStorage.setItem(KEPT, wanted);
  } catch {
    // Stays so until the page is closed.
  }
}
