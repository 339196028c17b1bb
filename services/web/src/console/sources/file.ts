// What a file is that somebody drops on the page, and how it is sent. Decided by its name and its first bytes; nothing is
// uploaded that the platform could only refuse.

export type Form = 'csv' | 'ndjson' | 'json' | 'spreadsheet' | 'unknown';

/** The form of a file by its name and its beginning. */
export function formOf(name: string, beginning: string): Form {
  const ending = name.toLowerCase().split('.').at(-1) ?? '';
  if (['xlsx', 'xls', 'ods', 'et', 'wps'].includes(ending) || beginning.startsWith('PK\u0003\u0004')) return 'spreadsheet';
  if (ending === 'csv' || ending === 'tsv') return 'csv';
  if (ending === 'ndjson' || ending === 'jsonl') return 'ndjson';
  const text = beginning.replace(/^\uFEFF/, '').trimStart();
  if (ending === 'json') return isLines(text) ? 'ndjson' : 'json';
  if (text.startsWith('[')) return 'json';
  if (text.startsWith('{')) return isLines(text) ? 'ndjson' : 'json';
  return /^[^\n]*[,;\t]/.test(text) ? 'csv' : 'unknown';
}

/** Whether each line is a record of its own. */
function isLines(text: string): boolean {
  const [first = '', second = ''] = text.split('\n', 2);
  return first.startsWith('{') && first.trimEnd().endsWith('}') && (second.trim() === '' || second.startsWith('{'));
}

/** Whether bytes are UTF-8; a sign that is cut off at the end counts as whole. */
export function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** Most records of one JSON batch. */
const BATCH = 5000;
/** Larger files are not turned into another encoding or form in the page's memory. */
export const CONVERTIBLE = 128 << 20;

export interface Prepared { path: string; type: string; body: Blob; note: 'gbk' | null }

/** The file as it is sent. Lists go as they are: the platform reads workbooks and every encoding of CSV itself, and decides by the whole file. */
export async function prepare(file: File, form: 'csv' | 'ndjson' | 'json' | 'spreadsheet'): Promise<Prepared> {
  if (form === 'csv' || form === 'spreadsheet') return { path: '/api/v1/records/upload', type: 'application/octet-stream', body: file, note: null };
  const sound = isUtf8(new Uint8Array(await file.slice(0, 65_536).arrayBuffer()));
  const note = sound ? null : ('gbk' as const);
  // One that is too large to be turned stays as it is, for the page to say so.
  const body: Blob = sound || file.size > CONVERTIBLE ? file : new Blob([new TextDecoder('gb18030').decode(await file.arrayBuffer())]);
  if (form === 'ndjson') return { path: '/api/v1/records/stream', type: 'application/x-ndjson', body, note };
  // An array of more records than a batch takes is sent as lines; each keeps its number.
  if (file.size < CONVERTIBLE) {
    const records = await body.text().then((text) => JSON.parse(text.replace(/^\uFEFF/, '')) as unknown).catch(() => null);
    if (Array.isArray(records) && records.length > BATCH) {
      const lines = new Blob(records.map((record) => `${JSON.stringify(record)}\n`));
      return { path: '/api/v1/records/stream', type: 'application/x-ndjson', body: lines, note };
    }
  }
  return { path: '/api/v1/records', type: 'application/json', body, note };
}
