// Whether somebody has had the whole of an alert before them: every part of it to its end, on a page that is looked at.
import type { Attachment } from 'svelte/attachments';

/** What has been seen of some parts, by their names. */
export class Parts {
  #seen = new Set<string>();

  /** Takes in that the end of a part was in sight; says whether nothing of `all` is left. */
  saw(name: string, all: readonly string[]): boolean {
    this.#seen.add(name);
    return this.left(all).length === 0;
  }

  left(all: readonly string[]): string[] {
    return all.filter((name) => !this.#seen.has(name));
  }
}

/** Watches the elements marked `data-end` within: calls `onseen` once when each has been in sight. What is added later is watched as well. */
export function whole(onseen: () => void): Attachment<HTMLElement> {
  return (node) => {
    const parts = new Parts();
    const ends = () => [...node.querySelectorAll<HTMLElement>('[data-end]')];
    const watch = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        const name = (entry.target as HTMLElement).dataset['end'] ?? '';
        if (!entry.isIntersecting || document.visibilityState !== 'visible') continue;
        watch.unobserve(entry.target);
        if (parts.saw(name, ends().map((end) => end.dataset['end'] ?? ''))) {
          stop();
          onseen();
        }
      }
    });
    const known = new WeakSet<Element>();
    const look = () => {
      for (const end of ends()) {
        if (known.has(end)) continue;
        known.add(end);
        watch.observe(end);
      }
    };
    const grown = new MutationObserver(look);
    const stop = () => {
      watch.disconnect();
      grown.disconnect();
    };
    look();
    grown.observe(node, { childList: true, subtree: true });
    return stop;
  };
}
