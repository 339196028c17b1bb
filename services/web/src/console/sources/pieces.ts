// Sends a large file in pieces (tus): when the connection breaks it goes on where it was, also after the page was closed and opened again.
import { DetailedError, Upload } from 'tus-js-client';
import { away, problemOf, type Problem } from '../../api/client.ts';

/** Larger files go in pieces. */
export const LARGE = 8 << 20;
const PIECE = 16 << 20;
const AGAIN_AFTER_MS = [0, 1000, 3000, 5000, 10_000, 20_000, 30_000];

/** Sends; resolves with the id under which the whole file lies, or throws a `Problem`. Stopped, it can be gone on with for a day. */
export async function sendInPieces(file: File, onprogress: (share: number) => void, stop: AbortSignal): Promise<string> {
  let upload: Upload | undefined;
  stop.addEventListener('abort', () => void upload?.abort());
  const whole = new Promise<string>((resolve, reject) => {
    stop.addEventListener('abort', () => reject(away()));
    upload = new Upload(file, {
      endpoint: '/api/v1/uploads',
      chunkSize: PIECE,
      retryDelays: AGAIN_AFTER_MS,
      headers: { 'x-fenghuo-request': '1' },
      // what is remembered of it on this computer says nothing of what it is called
      fingerprint: () => Promise.resolve(`fenghuo-${file.size}-${file.lastModified}`),
      removeFingerprintOnSuccess: true,
      onProgress: (sent, total) => onprogress(total ? sent / total : 0),
      onError: (error) => void said(error).then(reject),
      onSuccess: () => resolve(upload?.url?.split('/').at(-1) ?? ''),
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
