import { expect, test } from 'vitest';
import { refusalIn, wayToDirectory } from './directory.ts';

test.each([
  ['/console', '', '/console'],
  ['/console/alerts', '?state=draft', '/console/alerts?state=draft'],
  ['/console/alerts', '?state=draft&directory=away', '/console/alerts?state=draft'],
  ['/console/alerts', '?words=*', '/console/alerts'],
  ['/console/alerts', `?words=${'a'.repeat(256)}`, '/console/alerts'],
  [`/console/${'a'.repeat(256)}`, '', '/console'],
])('from %s%s one comes back to the page that one was on', (path, search, to) => {
  const way = new URL(wayToDirectory(path, search), 'https://alerts.example.cn');
  expect([way.pathname, way.searchParams.get('to')]).toEqual(['/api/v1/session/directory/begin', to]);
});

test('why nobody was let in is one of our words, whatever the address says', () => {
  expect(refusalIn('')).toBeNull();
  expect(refusalIn('?directory=away')).toBe('away');
  for (const made of ['', '<b>', 'constructor', '请致电 190']) expect(refusalIn(`?directory=${encodeURIComponent(made)}`)).toBe('refused');
});
