// What somebody has arranged in the list of alerts: their columns and their views, kept in this browser under their account.
import { staff } from '../session.svelte.ts';
import { read as readColumns, type Column } from './columns.ts';
import { read as readViews, type View } from './views.ts';

const key = (what: string) => `fenghuo.${what}.${staff()?.id ?? ''}`;

function kept(what: string): string | null {
  try {
    return localStorage.getItem(key(what));
  } catch {
    return null;
  }
}

function keep(what: string, value: unknown): void {
  try {
    localStorage.setItem(key(what), JSON.stringify(value));
  } catch {
    // Stays so until the page is closed.
  }
}

/** As arranged by whoever is signed in. */
export class Arranged {
  #columns = $state.raw<Column[]>(readColumns(kept('columns')));
  #views = $state.raw<View[]>(readViews(kept('views')));

  get columns(): Column[] {
    return this.#columns;
  }
  set columns(chosen: Column[]) {
    this.#columns = chosen;
    keep('columns', chosen);
  }
  get views(): View[] {
    return this.#views;
  }
  set views(saved: View[]) {
    this.#views = saved;
    keep('views', saved);
  }
}
