// What changed between two texts, word by word; Chinese, which has no spaces, character by character.

export interface Part { kind: 'same' | 'gone' | 'new'; text: string }

/** The smallest pieces that can differ: a run of letters or digits, a run of blanks, any other single sign. */
export function pieces(text: string): string[] {
  return text.match(/[\p{Script=Latin}\p{Number}]+|\s+|./gsu) ?? [];
}

/** How one text became the other, along a longest common subsequence of their pieces. */
export function difference(before: string, after: string): Part[] {
  const old = pieces(before);
  const now = pieces(after);
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start += 1;
  let end = 0;
  while (end < old.length - start && end < now.length - start && old[old.length - 1 - end] === now[now.length - 1 - end]) end += 1;
  const parts: Part[] = [];
  add(parts, 'same', old.slice(0, start));
  walk(parts, old.slice(start, old.length - end), now.slice(start, now.length - end));
  add(parts, 'same', old.slice(old.length - end));
  return parts;
}

/** The middle part, where the beginnings and the ends differ. */
function walk(parts: Part[], old: string[], now: string[]): void {
  const width = now.length + 1;
  // common[i * width + j]: how many pieces `old` from i and `now` from j have in common.
  const common = new Uint16Array((old.length + 1) * width);
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = now.length - 1; j >= 0; j -= 1) {
      common[i * width + j] =
        old[i] === now[j] ? common[(i + 1) * width + j + 1]! + 1 : Math.max(common[(i + 1) * width + j]!, common[i * width + j + 1]!);
    }
  }
  let i = 0;
  let j = 0;
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      add(parts, 'same', [old[i]!]);
      i += 1;
      j += 1;
    } else if (i < old.length && (j === now.length || common[(i + 1) * width + j]! >= common[i * width + j + 1]!)) {
      add(parts, 'gone', [old[i]!]);
      i += 1;
    } else {
      add(parts, 'new', [now[j]!]);
      j += 1;
    }
  }
}

function add(parts: Part[], kind: Part['kind'], words: string[]): void {
  if (words.length === 0) return;
  const last = parts.at(-1);
  if (last?.kind === kind) last.text += words.join('');
  else parts.push({ kind, text: words.join('') });
}
