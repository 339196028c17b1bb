// CSV as the platform writes and reads it: cells that may be quoted, with line breaks in quotes, and a byte order mark that
// spreadsheets put in front.

/** A row and the line of the text on which it began, from 1. */
export interface CsvRow { line: number; cells: string[] }

/** What separates the cells: the sign that the header row has most of. */
export function delimiterOf(text: string): string {
  const header = text.slice(0, text.indexOf('\n') < 0 ? text.length : text.indexOf('\n'));
  const count = (sign: string) => header.split(sign).length;
  return [',', ';', '\t'].reduce((best, sign) => (count(sign) > count(best) ? sign : best));
}

/** The rows of a text; empty lines are none. */
export function readCsv(text: string, delimiter = delimiterOf(text)): CsvRow[] {
  const rows: CsvRow[] = [];
  let [cell, cells, quoted, line, began] = ['', [] as string[], false, 1, 1];
  const end = () => {
    cells.push(cell);
    if (cells.length > 1 || cells[0]!.trim()) rows.push({ line: began, cells });
    [cell, cells] = ['', []];
  };
  for (let at = text.startsWith('\uFEFF') ? 1 : 0; at < text.length; at += 1) {
    const sign = text[at]!;
    if (sign === '\n') line += 1;
    if (quoted) {
      if (sign !== '"') cell += sign;
      else if (text[at + 1] === '"') cell += text[(at += 1)];
      else quoted = false;
    } else if (sign === '"' && cell === '') quoted = true;
    else if (sign === delimiter) {
      cells.push(cell);
      cell = '';
    } else if (sign === '\n') {
      if (cell.endsWith('\r')) cell = cell.slice(0, -1);
      end();
      began = line;
    } else cell += sign;
  }
  if (cell || cells.length) end();
  return rows;
}

/** One row as text, with its line break. */
export function writeRow(cells: readonly string[], delimiter = ','): string {
  const quote = (cell: string) => (/["\r\n]/.test(cell) || cell.includes(delimiter) || cell !== cell.trim() ? `"${cell.replaceAll('"', '""')}"` : cell);
  return `${cells.map(quote).join(delimiter)}\n`;
}
