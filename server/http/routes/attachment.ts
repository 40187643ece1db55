import { Readable } from 'node:stream';
import type Koa from 'koa';
import { byteRange, type ByteRange } from '../byte-range.ts';
import type { Route, RouteDeps } from '../call.ts';

/**
 * `GET /tasks/{taskId}/attachments/{name}`: a file that the task's work has made, whole or a range of it. Whatever is in it, a browser keeps it as a file:
 * it comes from people's input, and is no page of this origin.
 */
export function attachmentRoute({ service }: RouteDeps): Route {
  return async ({ ctx, auth, taskId, attachmentName }) => {
    const { name, contentType, bytes, sha256, open } = await service.attachment(auth, taskId, attachmentName);
    const tag = `"${sha256}"`;
    const range = byteRange(ctx.get('Range'), ctx.get('If-Range'), tag, bytes);
    ctx.set({
      'Accept-Ranges': 'bytes',
      'Cache-Control': 'no-store',
      'Content-Disposition': disposition(name),
      'Content-Security-Policy': "sandbox; default-src 'none'; frame-ancestors 'none'",
      ETag: tag,
    });
    if (range === 'unsatisfiable') {
      ctx.status = 416;
      ctx.set('Content-Range', `bytes */${bytes}`);
      return void (ctx.body = '');
    }
    const { start, end } = range ?? { start: 0, end: bytes - 1 };
    ctx.status = range ? 206 : 200;
    if (range) ctx.set('Content-Range', `bytes ${start}-${end}/${bytes}`);
    await answer(ctx, contentType, { start, end }, open);
  };
}

async function answer(ctx: Koa.Context, contentType: string, { start, end }: ByteRange, open: () => Promise<Readable>): Promise<void> {
  const length = end - start + 1;
  if (ctx.method === 'HEAD' || length === 0) ctx.body = '';
  else {
    const source = await open();
    ctx.body = Readable.from(within(source, start, length), { objectMode: false });
  }
  ctx.set('Content-Type', contentType);
  ctx.length = length;
}

/** The bytes from a place on. A file that is shorter than it was cuts the answer, so that nobody takes it for whole. */
async function* within(source: Readable, start: number, length: number): AsyncGenerator<Uint8Array> {
  let [skip, left] = [start, length];
  try {
    for await (const chunk of source as AsyncIterable<Uint8Array>) {
      const bytes = chunk.subarray(Math.min(skip, chunk.length)).subarray(0, left);
      skip -= Math.min(skip, chunk.length);
      left -= bytes.length;
      if (bytes.length > 0) yield bytes;
      if (left === 0) return;
    }
    throw new Error(`A file is ${left} bytes shorter than it was.`);
  } finally {
    source.destroy();
  }
}

/** As RFC 6266 has it: the name for everybody in UTF-8, and one in ASCII for who reads only that. */
function disposition(name: string): string {
  const plain = name.replaceAll(/[^\x20-\x7e]|["\\%]/g, '_');
  const encoded = encodeURIComponent(name).replaceAll(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
