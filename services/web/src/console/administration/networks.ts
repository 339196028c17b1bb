// From where a key is good, as it is typed.

/** Addresses and networks, each once: `198.51.100.0/24, 2001:db8::/48` → `['198.51.100.0/24', '2001:db8::/48']`. */
export function networksOf(typed: string): string[] {
  return [...new Set(typed.split(/[\s,，、;；]+/u).filter(Boolean))];
}
