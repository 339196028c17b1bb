// Sends a delivery and tells how much of it has left. XMLHttpRequest, because fetch tells nothing about what it sends.
import { away, problemOf, type Schema } from '../../api/client.ts';
import { heard } from '../../words/time.svelte.ts';

export type Report = Schema['LoadReport'];

export interface Sending { path: string; type: string; body: Blob | string }

/** Sends; resolves with what became of it, or throws a `Problem`. */
export function send<T = Report>(delivery: Sending, onprogress: (share: number) => void = () => {}, stop?: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', delivery.path);
    request.setRequestHeader('content-type', delivery.type);
    request.setRequestHeader('x-fenghuo-request', '1');
    request.upload.onprogress = ({ loaded, total }) => onprogress(total ? loaded / total : 0);
    request.upload.onload = () => onprogress(1);
    request.onerror = () => reject(away());
    request.onabort = () => reject(away());
    request.onload = () => {
      heard(request.getResponseHeader('x-fenghuo-time'));
      if (request.status === 200) resolve(JSON.parse(request.responseText) as T);
      else void problemOf(new Response(request.responseText || null, { status: request.status })).then(reject);
    };
    stop?.addEventListener('abort', () => request.abort());
    request.send(delivery.body);
  });
}
