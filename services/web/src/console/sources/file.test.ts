import { describe, expect, it } from 'vitest';
import { formOf, isUtf8, prepare } from './file.ts';

describe('a file', () => {
  it.each([
    ['a.csv', 'source_id,kind', 'csv'],
    ['a.CSV', '', 'csv'],
    ['a.jsonl', '{}', 'ndjson'],
    ['a.json', '[{"source_id":1}]', 'json'],
    ['a.json', '{"source_id":1}\n{"source_id":2}', 'ndjson'],
    ['a.json', '{\n  "source_id": 1\n}', 'json'],
    ['a.xlsx', 'PK\u0003\u0004', 'spreadsheet'],
    ['renamed.csv.txt', 'source_id;kind\n1;case', 'csv'],
    ['photo.jpg', '\u00ff\u00d8', 'unknown'],
  ])('%s beginning with %j is %s', (name, beginning, form) => {
    expect(formOf(name, beginning)).toBe(form);
  });

  it('that is GBK is known, and turned into UTF-8', async () => {
    // 渝中 in GBK
    const gbk = Uint8Array.of(0xd3, 0xe5, 0xd6, 0xd0);
    expect(isUtf8(gbk)).toBe(false);
    expect(isUtf8(new TextEncoder().encode('渝中').slice(0, 4))).toBe(true);
    const prepared = await prepare(new File([gbk], 'a.ndjson'), 'ndjson');
    expect([await prepared.body.text(), prepared.note]).toEqual(['渝中', 'gbk']);
  });

  it('that is a list goes as it is, whatever its encoding', async () => {
    const file = new File([Uint8Array.of(0xd3, 0xe5)], 'a.csv');
    expect(await prepare(file, 'csv')).toEqual({ path: '/api/v1/records/upload', type: 'application/octet-stream', body: file, note: null });
    expect((await prepare(new File(['PK'], 'a.xlsx'), 'spreadsheet')).path).toBe('/api/v1/records/upload');
  });

  it('with more records than a batch takes is sent as lines', async () => {
    const file = (records: number) => new File([JSON.stringify(Array.from({ length: records }, (_, at) => ({ source_id: at })))], 'a.json');
    expect((await prepare(file(5000), 'json')).path).toBe('/api/v1/records');
    const lines = await prepare(file(5001), 'json');
    expect([lines.path, (await lines.body.text()).split('\n').length]).toEqual(['/api/v1/records/stream', 5002]);
  });
});
