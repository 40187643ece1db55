import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { startHost } from '../../examples/report/host-process.ts';
import { patience } from '../support/patience.ts';
import { askAll } from './document-run.ts';

const SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const authorization = 'Bearer ada';

it(
  `the demo's host answers nothing that its OpenAPI document does not know, and takes what it promises (SEED=${SEED})`,
  { timeout: patience(180_000) },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'taskbridge-document-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const host = await startHost(join(folder, 'data'), { authenticate: await tokenService() });
    onTestFinished(() => host.stop());
    const url = `http://127.0.0.1:${host.port}`;
    // Tasks to be found in lists, and asked for.
    for (const clientRequestId of ['one', 'two', 'three']) {
      const created = await fetch(`${url}/api/v1/tasks`, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body: JSON.stringify({ clientRequestId, taskType: 'report.build' }),
      });
      expect(created.status).toBe(201);
    }
    const { code, report, requests } = await askAll({ url, authorization, taskTypes: ['report.build'] }, folder, SEED);
    expect(code, report).toBe(0);
    expect(requests, report).toBeGreaterThan(200);
  },
);

/** Knows one person; whatever else is said is nobody. */
async function tokenService(): Promise<string> {
  const server = createServer(({ headers }, response) => {
    if (headers.authorization !== authorization) return void response.writeHead(401).end();
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ subject: 'ada' }));
  });
  onTestFinished(() => void server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('The token service does not listen.');
  return `http://127.0.0.1:${address.port}`;
}
