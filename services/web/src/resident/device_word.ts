// What kind of device this is, in a word, so that its owner can tell it from their others. Nothing hangs on it.
const kinds: readonly [RegExp, string][] = [
  [/\biPad\b/, 'iPad'],
  [/\biPhone\b/, 'iPhone'],
  [/HarmonyOS|OpenHarmony/, 'HarmonyOS'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac(intosh| OS X)\b/, 'Mac'],
  [/\bLinux\b/, 'Linux'],
];

const within: readonly [RegExp, string][] = [
  [/MicroMessenger/, '微信 WeChat'],
  [/\bEdg(A|iOS)?\//, 'Edge'],
  [/\bFirefox\/|\bFxiOS\//, 'Firefox'],
  [/\bChrome\/|\bCriOS\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
];

/** The device and what the page is open in, as far as the browser says; nothing where it says neither. */
export function deviceWord(userAgent: string): string | undefined {
  const first = (of: readonly [RegExp, string][]) => of.find(([says]) => says.test(userAgent))?.[1];
  return [first(kinds), first(within)].filter(Boolean).join(' · ') || undefined;
}
