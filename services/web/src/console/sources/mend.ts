// Refused rows as a table that can be mended: out of what the platform gives back (CSV or lines of JSON), and back into a
// delivery of the same form. A cell that nobody touched goes back as it came.
import { delimiterOf, readCsv, writeRow } from './csv.ts';

/** A refused row. */
export interface Refused {
  /** Its line in the delivery that refused it. */
  line: number;
  /** The field that was wrong, as a column of the table where there is one. */
  field: string;
  /** Why, as the platform said it. */
  reason: string;
  cells: string[];
  /** The row as it came, when it was no object and has no columns; mended as a text. */
  whole: string | null;
}

export interface Table {
  form: 'csv' | 'ndjson';
  columns: string[];
  rows: Refused[];
  delimiter: string;
}

/** Rows to be sent again, and which line of the delivery each of them is. */
export interface Delivery { body: string; path: string; type: string; lines: Map<number, Refused> }

const ADDED = ['refused_line', 'refused_field', 'refused_reason'];

/** The table of a file of refused rows. A file that was cut off loses its last row, which may be half. */
export function tableOf(form: Table['form'], text: string, cutOff = false): Table {
  return form === 'csv' ? ofCsv(text, cutOff) : ofLines(text, cutOff);
}

function ofCsv(text: string, cutOff: boolean): Table {
  const delimiter = delimiterOf(text);
  const [head, ...body] = readCsv(text, delimiter);
  const names = head?.cells ?? [];
  const own = names.map((_, at) => at).filter((at) => !ADDED.includes(names[at]!));
  const said = (cells: string[], name: string) => cells[names.indexOf(name)] ?? '';
  const columns = own.map((at) => names[at]!);
  const kept = cutOff ? body.slice(0, -1) : body;
  // A field that the file has no column for, such as the district of a person who is not registered, needs a cell to be written in.
  for (const { cells } of kept) {
    const missing = said(cells, 'refused_field');
    if (/^[a-z_]+$/.test(missing) && missing !== 'row' && missing !== 'subject' && columnOf(missing, columns) === missing && !columns.includes(missing)) columns.push(missing);
  }
  const rows = kept.map(({ cells }) => ({
    line: Number(said(cells, 'refused_line')),
    field: columnOf(said(cells, 'refused_field'), columns),
    reason: said(cells, 'refused_reason'),
    cells: columns.map((_, at) => (own[at] === undefined ? '' : (cells[own[at]] ?? ''))),
    whole: null,
  }));
  return { form: 'csv', columns, rows, delimiter };
}

interface Told { line: number; field: string; reason: string; reason_en: string; row?: string }

function ofLines(text: string, cutOff: boolean): Table {
  const lines = text.split('\n').filter((line) => line.trim());
  const objects = (cutOff ? lines.slice(0, -1) : lines).map((line) => JSON.parse(line) as Record<string, unknown> & { refused: Told });
  const flat = objects.map(({ refused, ...row }) => ({ refused, cells: flatten(row) }));
  const columns: string[] = [];
  for (const { cells } of flat) for (const name of cells.keys()) if (!columns.includes(name)) columns.push(name);
  const rows = flat.map(({ refused, cells }) => {
    // A field that is missing needs a cell to be written in.
    if (!columns.includes(refused.field) && /^(subject\.|attributes\.)?[a-z_]+$/.test(refused.field) && !['row', 'subject', 'attributes'].includes(refused.field)) columns.push(refused.field);
    return { refused, cells };
  });
  return {
    form: 'ndjson',
    columns,
    delimiter: '',
    rows: rows.map(({ refused, cells }) => ({
      line: refused.line,
      field: columnOf(refused.field, columns),
      reason: `${refused.reason} (${refused.reason_en})`,
      cells: columns.map((name) => shown(cells.get(name))),
      whole: refused.row ?? null,
    })),
  };
}

/** The column that a fault is about; `subject.phone` is `phone` in a CSV file. */
export function columnOf(field: string, columns: readonly string[]): string {
  const short = field.replace(/^(subject|attributes)\./, '');
  return [field, short, `subject.${field}`, `attributes.${field}`].find((name) => columns.includes(name)) ?? field;
}

function flatten(row: Record<string, unknown>): Map<string, unknown> {
  const cells = new Map<string, unknown>();
  for (const [name, value] of Object.entries(row)) {
    const nested = (name === 'subject' || name === 'attributes') && value && typeof value === 'object' && !Array.isArray(value);
    if (nested) for (const [inner, own] of Object.entries(value)) cells.set(`${name}.${inner}`, own);
    else cells.set(name, value);
  }
  return cells;
}

function shown(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** These rows as one delivery. */
export function deliveryOf(table: Table, rows: readonly Refused[]): Delivery {
  const lines = new Map<number, Refused>();
  if (table.form === 'csv') {
    let body = writeRow(table.columns, table.delimiter);
    let line = 2;
    for (const row of rows) {
      const text = writeRow(row.cells, table.delimiter);
      lines.set(line, row);
      line += text.split(/\r\n|\r|\n/).length - 1;
      body += text;
    }
    return { body, path: '/api/v1/records/upload', type: 'text/csv; charset=utf-8', lines };
  }
  const body = rows.map((row, at) => {
    lines.set(at + 1, row);
    return row.whole ?? JSON.stringify(objectOf(table.columns, row.cells));
  });
  return { body: `${body.map((line) => line.replaceAll('\n', ' ')).join('\n')}\n`, path: '/api/v1/records/stream', type: 'application/x-ndjson', lines };
}

/** The record that the cells say; an empty cell says nothing. */
function objectOf(columns: readonly string[], cells: readonly string[]): Record<string, unknown> {
  const record: Record<string, unknown> = {};
  columns.forEach((name, at) => {
    const text = cells[at]?.trim() ?? '';
    if (!text) return;
    const [group, inner] = name.split('.', 2) as [string, string | undefined];
    if (!inner) record[name] = name === 'subject' || name === 'attributes' ? valueOf(text) : text;
    else ((record[group] ??= {}) as Record<string, unknown>)[inner] = group === 'attributes' ? valueOf(text) : text;
  });
  return record;
}

/** A text that looks like a number or true or false is one, as in a CSV file; `007` stays a text. */
function valueOf(text: string): unknown {
  if (text === 'true' || text === 'false' || /^-?(0|[1-9]\d{0,14})(\.\d+)?$/.test(text) || /^[[{]/.test(text)) {
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  }
  return text;
}
