import { describe, expect, it, onTestFinished } from 'vitest';
import { openApiDocument } from '../../server/http/openapi/document.ts';
import { defaultRoutePaths } from '../../machines/routes/index.ts';
import { startHost, type Host } from './host.ts';

/** What of the document is looked at here. */
type Paths = Readonly<Record<string, Readonly<Record<string, Described>>>>;
interface Described {
  readonly operationId: string;
  readonly parameters: readonly { readonly name: string; readonly required: boolean; readonly schema: object }[];
}

const ada = { authorization: 'Bearer ada' };

async function host(parts: Parameters<typeof startHost>[0] = {}): Promise<Host> {
  const started = await startHost(parts);
  onTestFinished(() => started.close());
  return started;
}

describe('GET /openapi.json', () => {
  it('is the document at the paths of the host, for those who are known', async () => {
    const { url } = await host({ prefix: '/api', routes: { openapi: '/described' } });
    expect((await fetch(`${url}/api/described`)).status).toBe(401);
    const answer = await fetch(`${url}/api/described`, { headers: ada });
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    const paths = { ...defaultRoutePaths, openapi: '/described' };
    expect(await answer.json()).toEqual(JSON.parse(JSON.stringify(openApiDocument({ prefix: '/api', mountPath: '', paths }))));
    const head = await fetch(`${url}/api/described`, { method: 'HEAD', headers: ada });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });
});

describe('the headers of a trace', () => {
  it('stand in the document at the one request that reads them, and forbid nothing', () => {
    const { paths } = openApiDocument({ prefix: '/api', mountPath: '', paths: defaultRoutePaths }) as { paths: Paths };
    const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
    const named = operations.flatMap(({ operationId, parameters }) =>
      parameters.filter(({ name }) => name.startsWith('trace')).map(({ name, required, schema }) => [operationId, name, required, schema]),
    );
    expect(named).toEqual([
      ['create', 'traceparent', false, { type: 'string' }],
      ['create', 'tracestate', false, { type: 'string' }],
    ]);
  });
});

describe('a path with a word of the protocol', () => {
  it('is for no task, whatever the method', async () => {
    const { url, calls } = await host({ prefix: '/api' });
    const asked = async (method: string, path: string) => {
      const { status, headers } = await fetch(`${url}/api${path}`, { method, headers: ada });
      return [status, headers.get('allow')];
    };
    expect(await asked('DELETE', '/tasks/types')).toEqual([405, 'HEAD, GET, OPTIONS']);
    expect(await asked('OPTIONS', '/tasks/types')).toEqual([204, 'HEAD, GET, OPTIONS']);
    expect(await asked('DELETE', '/tasks/ws')).toEqual([405, 'HEAD, GET, OPTIONS']);
    expect(calls).toEqual([]);
    expect((await asked('DELETE', '/tasks/other'))[0]).toBe(204);
  });
});
