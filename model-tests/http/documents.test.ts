import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createConfig, lint } from '@redocly/openapi-core';
import { describe, expect, it } from 'vitest';
import { openApiDocument } from '../../server/http/openapi/document.ts';
import { VERSION } from '../../machines/json-schema/index.ts';
import { defaultRoutePaths, readRoutePaths, routeMethods } from '../../machines/routes/index.ts';

/** What the linter says, with the place: nothing, but for what is so on purpose. */
async function faults(name: string): Promise<readonly string[]> {
  const config = await createConfig({ extends: ['recommended-strict'] });
  const problems = await lint({ ref: fileURLToPath(new URL(`../../docs/${name}`, import.meta.url)), config });
  return problems.map(({ ruleId, location }) => `${ruleId} ${location[0]?.pointer}`);
}

describe('the documents', () => {
  it('are OpenAPI that a linter takes', async () => {
    expect(await faults('openapi.json')).toEqual([
      // A socket is opened by 101; whether a process lives can be asked by anybody, and in no wrong way.
      'operation-2xx-response #/paths/~1api~1v1~1tasks~1ws/get/responses',
      'operation-4xx-response #/paths/~1health/get/responses',
      'operation-4xx-response #/paths/~1ready/get/responses',
    ]);
  });

  it('are AsyncAPI that a linter takes', async () => {
    expect(await faults('asyncapi.json')).toEqual([]);
  });
});

interface Written {
  readonly servers: readonly { readonly url: string }[];
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly operationId: string; readonly parameters: readonly { name: string; in: string }[] }>>>
  >;
}

describe('the version of the wire', () => {
  it('is that of the package', () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { readonly version: string };
    expect(VERSION).toBe(version);
  });
});

describe('the document of a host', () => {
  const written = (settings: Partial<Parameters<typeof openApiDocument>[0]>) =>
    openApiDocument({ prefix: '/api/v1', mountPath: '', paths: defaultRoutePaths, ...settings }) as Written;

  it('has every route, by its method', () => {
    const found = Object.values(written({}).paths).flatMap((path) =>
      Object.entries(path).map(([method, { operationId }]) => [operationId, method.toUpperCase()]),
    );
    expect(Object.fromEntries(found)).toEqual(routeMethods);
  });

  it('has its own paths, with their names', () => {
    const { paths, servers } = written({
      prefix: '/api/:region',
      mountPath: '/mounted',
      paths: readRoutePaths({ task: '/jobs/:taskId', health: '/alive' }),
    });
    expect(servers).toEqual([{ url: '/mounted' }]);
    expect(paths['/alive']?.['get']?.operationId).toBe('health');
    const names = paths['/api/{region}/jobs/{taskId}']?.['get']?.parameters.map(({ name, in: place }) => `${place} ${name}`);
    expect(names).toEqual(['path region', 'path taskId']);
  });
});
