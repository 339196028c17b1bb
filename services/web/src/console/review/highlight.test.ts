import { expect, test } from 'vitest';
import { places } from './highlight.ts';

test.each<[string, string[], [number, number][]]>([
  ['市场已关闭，请绕行。', ['请绕行'], [[6, 9]]],
  ['市场已关闭，请绕行。', ['请绕行', '市场'], [[6, 9], [0, 2]]],
  ['市场已开放。', ['请绕行'], []],
  ['市场已开放。', [''], []],
])('in %s the words %j stand at %j', (text, quotes, at) => expect(places(text, quotes)).toEqual(at));
