// The key of this screen: given once in the address or typed in, then kept on the device and gone from the address.

const KEPT = 'fenghuo.screen.key';

export const looksRight = (key: string): boolean => /^fhd_[0-9a-f]{64}$/.test(key);

/** The key, if this device has one. */
export function keyOfThisScreen(): string | null {
  // behind the #, which no browser sends: what stands before it is in logs of proxies and servers
  const given = new URLSearchParams(location.hash.slice(1)).get('key')?.trim();
  if (given) {
    keepKey(given);
    history.replaceState(null, '', location.pathname);
    return given;
  }
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}

/** Keeps the key. What another one opened is forgotten. */
export function keepKey(key: string): void {
  try {
    if (localStorage.getItem(KEPT) !== key) for (const name of ['fenghuo.screen.list', 'fenghuo.screen.plays']) localStorage.removeItem(name);
    localStorage.setItem(KEPT, key);
  } catch {
    // Until the page is closed.
  }
}
