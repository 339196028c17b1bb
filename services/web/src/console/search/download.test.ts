import { expect, it, test, vi } from 'vitest';

vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => {} });
vi.stubGlobal('location', { search: '', href: 'http://fenghuo.test/', origin: 'http://fenghuo.test' });
vi.stubGlobal('document', { documentElement: { lang: '' } });
const { gathered, nameOf, size } = await import('./download.ts');

test.each([
  ['attachment; filename="alerts.csv"', 'alerts.csv'],
  ["attachment; filename=\"x.csv\"; filename*=UTF-8''%E5%BC%B9%E7%AA%97.csv", '弹窗.csv'],
  ["attachment; filename*=UTF-8''%E5%BC", 'list.csv'],
  ['attachment; filename="../../etc/passwd"', '.._.._etc_passwd'],
  [null, 'list.csv'],
])('%s is called %s', (disposition, name) => expect(nameOf(disposition, 'list.csv')).toBe(name));

it('tells how much is there while it comes', async () => {
  const stream = new ReadableStream<Uint8Array>({
    start(control) {
      for (const length of [3, 4]) control.enqueue(new Uint8Array(length));
      control.close();
    },
  });
  const told: number[] = [];
  const file = await gathered(stream, (bytes) => told.push(bytes));
  expect([told, file.size]).toEqual([[3, 7], 7]);
});

test.each([[12, '12 B'], [3200, '3 kB'], [3_240_000, '3.2 MB']])('%i bytes are %s', (bytes, reads) => expect(size(bytes)).toBe(reads));
