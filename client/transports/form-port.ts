import type { UploadListener } from '../commands/upload.ts';

/** A form to send. */
export interface FormRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly form: FormData;
  readonly withCookies: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: UploadListener;
}

/** Sends a form and tells how far it came, which `fetch` cannot; rejects like `fetch`. */
export type FormPort = (request: FormRequest) => Promise<Response>;

/** The platform's `XMLHttpRequest`; undefined where there is none. It follows redirects, as it cannot do otherwise. */
export function platformForms(): FormPort | undefined {
  const { XMLHttpRequest: Request } = globalThis as { XMLHttpRequest?: new () => XMLHttpRequest };
  if (!Request) return undefined;
  return ({ url, headers, form, withCookies, signal, onProgress }) =>
    new Promise((resolve, reject) => {
      const request = new Request();
      const abort = (): void => request.abort();
      request.open('POST', url);
      request.withCredentials = withCookies;
      for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
      request.upload.onprogress = ({ loaded, total, lengthComputable }) =>
        onProgress({ sentBytes: loaded, totalBytes: lengthComputable ? total : undefined });
      request.onloadend = () => {
        signal.removeEventListener('abort', abort);
        const { status, responseText } = request;
        if (status < 200 || status > 599) return reject(new TypeError('The upload failed.'));
        const retryAfter = request.getResponseHeader('retry-after');
        resolve(new Response(responseText || null, { status, headers: retryAfter === null ? {} : { 'retry-after': retryAfter } }));
      };
      signal.addEventListener('abort', abort);
      if (signal.aborted) return reject(new TypeError('Aborted before it began.'));
      request.send(form);
    });
}
