// Sends a large file in pieces (tus): when the connection breaks it goes on where it was, also after the page was closed and opened again.
import { defaultOptions, DetailedError, Upload } from 'tus-js-client';
import { away, problemOf, type Problem } from '../../api/client.ts';

/** Larger files go in pieces. */
export const LARGE = 8 << 20;
const PIECE = 16 << 20;
const AGAIN_AFTER_MS = [0, 1000, 3000, 5000, 10_000, 20_000, 30_000];

/** A file that lies whole on the platform, until it is delivered. */
export interface Sent { id: string; forget: () => Promise<void> }

/** Sends; resolves with where the whole file lies, or throws a `Problem`. Stopped, it can be gone on with for a day. Sent again before it was
 *  delivered, it lies there already. */
export async function sendInPieces(file: File, onprogress: (share: number) => void, stop: AbortSignal): Promise<Sent> {
  let upload: Upload | undefined;
  const fingerprint = `fenghuo-${file.size}-${file.lastModified}`;
  const forget = async () => {
    for (const before of await defaultOptions.urlStorage.findUploadsByFingerprint(fingerprint)) await defaultOptions.urlStorage.removeUpload(before.urlStorageKey);
  };
  stop.addEventListener('abort', () => void upload?.abort());
  const whole = new Promise<Sent>((resolve, reject) => {
    stop.addEventListener('abort', () => reject(away()));
    upload = new Upload(file, {
      endpoint: '/api/v1/uploads',
      chunkSize: PIECE,
      retryDelays: AGAIN_AFTER_MS,
      headers: { 'x-fenghuo-request': '1' },
      // what is remembered of it on this computer says nothing of what it is called
      fingerprint: () => Promise.resolve(fingerprint),
      onProgress: (sent, total) => onprogress(total ? sent / total : 0),
      onError: (error) => void said(error).then(reject),
      onSuccess: () => resolve({ id: upload?.url?.split('/').at(-1) ?? '', forget }),
    });
  });
  const [before] = (await upload?.findPreviousUploads()) ?? [];
  if (before) upload?.resumeFromPreviousUpload(before);
  if (!stop.aborted) upload?.start();
  return whole;
}

/** What the platform said. */
async function said(error: Error | DetailedError): Promise<Problem> {
  const answer = error instanceof DetailedError ? error.originalResponse : null;
  return answer ? problemOf(new Response(answer.getBody() || null, { status: answer.getStatus() })) : away();
}
