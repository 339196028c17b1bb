import { describe, expect, it } from 'vitest';
import { delimiterOf, readCsv, writeRow } from './csv.ts';

describe('CSV', () => {
  it('reads cells with quotes, line breaks and a byte order mark, and knows where a row began', () => {
    expect(readCsv('\uFEFFa,b\r\n"1,""x""\n2",3\n\n4,\n')).toEqual([
      { line: 1, cells: ['a', 'b'] },
      { line: 2, cells: ['1,"x"\n2', '3'] },
      { line: 5, cells: ['4', ''] },
    ]);
  });

  it('reads a last row without a line break', () => {
    expect(readCsv('a;b\n1;2').map(({ cells }) => cells)).toEqual([['a', 'b'], ['1', '2']]);
  });

  it('knows the delimiter by the header', () => {
    expect(['a,b', 'a;b;c,d', 'a\tb'].map(delimiterOf)).toEqual([',', ';', '\t']);
  });

  it('reads back what it wrote', () => {
    for (const cells of [['plain', 'with, comma', 'with "quote"'], ['line\nbreak', ' blank ', ''], ['13800005678', '密切接触者']]) {
      expect(readCsv(writeRow(cells), ',')[0]?.cells).toEqual(cells);
    }
  });
});
