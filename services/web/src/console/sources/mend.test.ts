import { describe, expect, it } from 'vitest';
import { deliveryOf, tableOf } from './mend.ts';

describe('refused rows of a CSV file', () => {
  const text = '\uFEFFsource_id,phone,note,refused_line,refused_field,refused_reason\n7,1380000,"a\nb",4,subject.phone,不是手机号码 (is no number)\n8,13800005678,,9,level,缺少此字段 (is missing)\n';

  it('become a table without what the platform added, with a column for what the file lacks', () => {
    const table = tableOf('csv', text);
    expect(table.columns).toEqual(['source_id', 'phone', 'note', 'level']);
    expect(table.rows.map(({ line, field, cells }) => ({ line, field, cells }))).toEqual([
      { line: 4, field: 'phone', cells: ['7', '1380000', 'a\nb', ''] },
      { line: 9, field: 'level', cells: ['8', '13800005678', '', ''] },
    ]);
  });

  it('go back as a file whose lines are known', () => {
    const table = tableOf('csv', text);
    table.rows[1]!.cells[3] = 'high';
    const delivery = deliveryOf(table, table.rows);
    expect(delivery.body).toBe('source_id,phone,note,level\n7,1380000,"a\nb",\n8,13800005678,,high\n');
    expect([...delivery.lines].map(([line, row]) => [line, row.line])).toEqual([[2, 4], [4, 9]]);
  });

  it('lose a last row that was cut off', () => {
    expect(tableOf('csv', text, true).rows.map(({ line }) => line)).toEqual([4]);
  });
});

describe('refused lines of JSON', () => {
  const refused = (line: number, field: string, row?: string) => ({ line, field, reason: '有误', reason_en: 'is wrong', row });
  const text = [
    JSON.stringify({ source_id: 'a-1', kind: 'case', subject: { phone: '138' }, attributes: { days: 7, site: '宾馆' }, refused: refused(3, 'subject.phone') }),
    JSON.stringify({ source_id: 'a-2', subject: { place: '500103' }, refused: refused(5, 'level') }),
    JSON.stringify({ refused: refused(6, 'row', '{"source_id": ') }),
  ].join('\n');

  it('become a table with a column for what is missing', () => {
    const table = tableOf('ndjson', text);
    expect(table.columns).toEqual(['source_id', 'kind', 'subject.phone', 'attributes.days', 'attributes.site', 'subject.place', 'level']);
    expect(table.rows[2]?.whole).toBe('{"source_id": ');
  });

  it('go back as they came, with what was mended', () => {
    const table = tableOf('ndjson', text);
    table.rows[1]!.cells[6] = 'high';
    table.rows[2]!.whole = '{"source_id":\n"a-3"}';
    expect(deliveryOf(table, table.rows).body.trim().split('\n').map((line) => JSON.parse(line) as unknown)).toEqual([
      { source_id: 'a-1', kind: 'case', subject: { phone: '138' }, attributes: { days: 7, site: '宾馆' } },
      { source_id: 'a-2', subject: { place: '500103' }, level: 'high' },
      { source_id: 'a-3' },
    ]);
  });
});
