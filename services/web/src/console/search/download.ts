// A list fetched as a file, with how much of it is there: the platform streams it and says no total.
import { away, problemOf } from '../../api/client.ts';
import { heard } from '../../words/time.svelte.ts';

/** Reads an answer to its end, telling how many bytes are there. */
export async function gathered(body: ReadableStream<Uint8Array>, told: (bytes: number) => void): Promise<Blob> {
  const parts: BlobPart[] = [];
  const reader = body.getReader();
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Blob(parts);
    parts.push(value as Uint8Array<ArrayBuffer>);
    bytes += value.byteLength;
    told(bytes);
  }
}

/** The name that the platform gives a file, in either way of writing it; `otherwise` where it gives none. */
export function nameOf(disposition: string | null, otherwise: string): string {
  const plain = (name: string) => name.replace(/[\\/:*?"<>|\u0000-\u001f]/g, '_').trim() || otherwise;
  const encoded = /filename\*=UTF-8''([^;]+)/i.exec(disposition ?? '')?.[1];
  if (encoded) {
    try {
      return plain(decodeURIComponent(encoded));
    } catch {
      return otherwise;
    }
  }
  const quoted = /filename="?([^";]+)"?/i.exec(disposition ?? '')?.[1];
  return quoted ? plain(quoted) : otherwise;
}

/** Fetches a file and hands it to the browser to be kept. */
export async function download(path: string, otherwise: string, told: (bytes: number) => void, signal: AbortSignal): Promise<void> {
  const answer = await fetch(path, { headers: { 'x-fenghuo-request': '1' }, signal }).catch((thrown: unknown) => {
    throw signal.aborted ? thrown : away();
  });
  heard(answer.headers.get('x-fenghuo-time'));
  if (!answer.ok || !answer.body) throw await problemOf(answer);
  const file = await gathered(answer.body, told);
  const address = URL.createObjectURL(file);
  const link = document.createElement('a');
  [link.href, link.download] = [address, nameOf(answer.headers.get('content-disposition'), otherwise)];
  link.click();
  // A browser that still reads it needs the address a moment longer.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** `3.2 MB`, for whoever waits. */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
