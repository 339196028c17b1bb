import { expect, test } from 'vitest';
import { needsHomeScreen, type Browser } from './home_screen.ts';

const IPHONE = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1';
const MAC = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15';
const ANDROID = 'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Mobile Safari/537.36';

const inSafari = (userAgent: string, more: Partial<Browser> = {}): Browser => ({ userAgent, maxTouchPoints: 5, standalone: false, hasPush: false, ...more });

test.each([
  ['an iPhone in Safari', inSafari(IPHONE), true],
  ['an iPad, which calls itself a Mac', inSafari(MAC), true],
  ['an iPhone from its home screen', inSafari(IPHONE, { standalone: true, hasPush: true }), false],
  ['an old iPhone from its home screen, which cannot', inSafari(IPHONE, { standalone: true }), false],
  ['a Mac', inSafari(MAC, { maxTouchPoints: 0 }), false],
  ['an Android phone without push', inSafari(ANDROID), false],
])('%s', (_, browser, needs) => expect(needsHomeScreen(browser)).toBe(needs));
