// Marks words in the texts of the page without touching them: where the browser can, by its own highlights.
import type { Passage } from '../alert/contract.ts';

/** Where in `text` each of the quotes stands, as offsets; what stands there no more is left out. */
export function places(text: string, quotes: readonly string[]): [from: number, until: number][] {
  return quotes.flatMap((quote): [number, number][] => {
    const from = quote ? text.indexOf(quote) : -1;
    return from < 0 ? [] : [[from, from + quote.length]];
  });
}

/** Highlights these passages under a name, in every text of theirs that is shown now; returns how to stop. */
export function highlight(name: string, passages: readonly Passage[]): () => void {
  if (typeof CSS === 'undefined' || !('highlights' in CSS)) return () => {};
  const mark = () => {
    const ranges = [...document.querySelectorAll<HTMLElement>('[data-field]')].flatMap((element) => {
      const node = element.firstChild;
      if (!(node instanceof Text)) return [];
      const language = element.closest<HTMLElement>('[lang]')?.lang;
      const quotes = passages.filter((passage) => passage.field === element.dataset['field'] && passage.language === language).map(({ quote }) => quote);
      return places(node.data, quotes).map(([from, until]) => {
        const range = new Range();
        range.setStart(node, from);
        range.setEnd(node, until);
        return range;
      });
    });
    CSS.highlights.set(name, new Highlight(...ranges));
  };
  mark();
  // Another language's texts take the place of these.
  const turned = new MutationObserver(mark);
  if (passages.length) turned.observe(document.querySelector('main') ?? document.body, { childList: true, subtree: true, characterData: true });
  return () => {
    turned.disconnect();
    CSS.highlights.delete(name);
  };
}
