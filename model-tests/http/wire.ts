import { readFileSync, readdirSync } from 'node:fs';

/** One row of the wire: what is sent, and what comes back. */
export interface WireRow {
  readonly name: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    /** Sent as JSON. */
    readonly body?: unknown;
    /** Sent as it stands, instead. */
    readonly text?: string;
  };
  readonly answer: { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: unknown };
}

const folder = new URL('./fixtures/', import.meta.url);

/** All golden rows, by the name of their file. */
export const wireRows: Readonly<Record<string, readonly WireRow[]>> = Object.fromEntries(
  readdirSync(folder).map((file) => [file.replace('.json', ''), JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as WireRow[]]),
);

/** Sends a row's request. */
export function send(url: string, { request }: WireRow): Promise<Response> {
  const { method, path, headers, body, text } = request;
  const sent = text ?? (body === undefined ? undefined : JSON.stringify(body));
  return fetch(url + path, { method, headers, ...(sent === undefined ? {} : { body: sent }) });
}
