// Single keys for those who review all day: `a`, `r`, `j`, `g h`. They can be switched off (WCAG 2.1.4), and never fire while
// one types or a dialog is open.

const KEPT = 'fenghuo.keys';
const PAUSE = 1200;

const state = $state({ on: kept() });

function kept(): boolean {
  try {
    return localStorage.getItem(KEPT) !== 'off';
  } catch {
    return true;
  }
}

/** Whether single keys do something. */
export function keysOn(): boolean {
  return state.on;
}

export function switchKeys(on: boolean): void {
  state.on = on;
  try {
    localStorage.setItem(KEPT, on ? 'on' : 'off');
  } catch {
    // Stays so until the page is closed.
  }
}

function busy(event: KeyboardEvent): boolean {
  const at = event.target;
  const types = at instanceof HTMLElement && (at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName));
  const ticks = at instanceof HTMLInputElement && (at.type === 'checkbox' || at.type === 'radio');
  return (types && !ticks) || document.querySelector('dialog[open]') !== null;
}

/** Calls what a key, or two after each other (`g h`), stands for; returns how to stop. */
export function onKeys(does: Record<string, () => void>): () => void {
  let before = '';
  let timer: ReturnType<typeof setTimeout> | undefined;
  const pressed = (event: KeyboardEvent) => {
    if (!state.on || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.repeat || busy(event)) return;
    const both = before ? `${before} ${event.key}` : event.key;
    before = '';
    clearTimeout(timer);
    const action = does[both] ?? does[event.key];
    if (action) {
      event.preventDefault();
      action();
    } else if (Object.keys(does).some((keys) => keys.startsWith(`${event.key} `))) {
      before = event.key;
      timer = setTimeout(() => (before = ''), PAUSE);
    }
  };
  addEventListener('keydown', pressed);
  return () => {
    clearTimeout(timer);
    removeEventListener('keydown', pressed);
  };
}
