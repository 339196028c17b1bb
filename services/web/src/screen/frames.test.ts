import { expect, test } from 'vitest';
import { Frames } from './frames.ts';

test('events are whole however the stream is cut', () => {
  const said = ': keep-alive\n\nevent: playlist\nid: 7\ndata: {"a":\ndata: 1}\n\nevent: playlist\r\ndata:{}\r\n\r\n';
  for (let cut = 1; cut <= said.length; cut += 1) {
    const frames = new Frames();
    const got = [];
    for (let at = 0; at < said.length; at += cut) got.push(...frames.take(said.slice(at, at + cut)));
    expect(got, `cut at ${cut}`).toEqual([{ event: 'playlist', id: '7', data: '{"a":\n1}' }, { event: 'playlist', id: '7', data: '{}' }]);
  }
});

test('a line without end is not gathered for ever', () => {
  const frames = new Frames();
  expect(() => {
    for (let at = 0; at < 100; at += 1) frames.take('x'.repeat(100_000));
  }).toThrow();
});
