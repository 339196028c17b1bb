// What the page is called that is open: for the tab, the history and whoever listens. The menu's word, unless the page says more.

let said = $state.raw<{ by: symbol | null; word: string }>({ by: null, word: '' });

/** Within a page: what it is called while it is open; nothing keeps the menu's word. */
export function entitle(word: () => string | undefined): void {
  const by = Symbol('page');
  $effect(() => {
    said = { by, word: word() ?? '' };
  });
  $effect(() => () => {
    // The next page may have said its own by now.
    if (said.by === by) said = { by: null, word: '' };
  });
}

/** What the open page calls itself; empty where it says nothing. */
export function ownTitle(): string {
  return said.word;
}
