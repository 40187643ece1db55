import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import type { Middleware } from 'koa';

/** What a page may load: of this origin only, so that the demo needs no other network. */
const POLICY = "default-src 'self'; img-src 'self' data:; worker-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'";

/** Serves a built page from memory; it is small. */
export async function pageFiles(directory: string): Promise<Middleware> {
  const files = new Map<string, Buffer>();
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(`/${relative(directory, path).split(sep).join('/')}`, await readFile(path));
  }
  return async (ctx, next) => {
    const path = ctx.path === '/' ? '/index.html' : ctx.path;
    const body = files.get(path);
    if (!body || (ctx.method !== 'GET' && ctx.method !== 'HEAD')) {
      await next();
      return;
    }
    ctx.type = extname(path);
    ctx.set('content-security-policy', POLICY);
    ctx.set('x-content-type-options', 'nosniff');
    // Built names carry a hash of what is in them.
    ctx.set('cache-control', path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache');
    ctx.body = body;
  };
}
