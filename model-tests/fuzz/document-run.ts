import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { patience } from '../support/patience.ts';

/** A host to be asked all that its document says. */
export interface DocumentedHost {
  readonly url: string;
  readonly authorization: string;
  /** Types of tasks that it runs: no document says which. */
  readonly taskTypes: readonly string[];
}

/** What came of a run: every answer was one that the document knows where `code` is 0. */
export interface DocumentRun {
  readonly code: number | null;
  readonly report: string;
  /** Requests that were made up. */
  readonly requests: number;
}

interface Document {
  readonly components: { readonly schemas: Readonly<Record<string, ObjectSchema>> };
  readonly paths: Readonly<
    Record<
      string,
      { readonly post?: { readonly requestBody: { readonly content: Readonly<Record<string, { readonly schema: ObjectSchema }>> } } }
    >
  >;
}
interface ObjectSchema {
  readonly properties: Record<string, object>;
}

/** The program, where `scripts/setup.sh fuzzer` put it. */
const schemathesis = fileURLToPath(new URL('../../.data/fuzzer/bin/schemathesis', import.meta.url));
const CREATE = '/api/v1/tasks';

/** Has Schemathesis make up requests from the document that a host serves, and compare the answers with it. */
export async function askAll(host: DocumentedHost, folder: string, seed: number): Promise<DocumentRun> {
  if (!existsSync(schemathesis)) throw new Error(`There is no Schemathesis at ${schemathesis}: run sh scripts/setup.sh fuzzer.`);
  const { authorization } = host;
  const response = await fetch(`${host.url}/api/v1/openapi.json`, { headers: { authorization } });
  const file = join(folder, 'openapi.json');
  await writeFile(file, JSON.stringify(narrowed((await response.json()) as Document, host.taskTypes)));
  const program = spawn(
    schemathesis,
    [
      ...['--config-file', fileURLToPath(new URL('children/document.toml', import.meta.url)), 'run', file, '--url', host.url],
      ...['--header', `Authorization: ${authorization}`, '--max-examples', '15', '--seed', String(seed), '--no-color'],
      ...['--request-timeout', String(patience(20_000) / 1000), '--suppress-health-check', 'all'],
    ],
    { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let report = '';
  program.stdout.on('data', (chunk: Buffer) => (report += chunk.toString()));
  const [code] = (await once(program, 'close')) as [number | null];
  return { code, report, requests: Number(/(\d+) generated/.exec(report)?.[1] ?? 0) };
}

/** Names the types that there are, and leaves out of a form what it has as a text of JSON: no made-up text is one. */
function narrowed(document: Document, taskTypes: readonly string[]): Document {
  const create = document.components.schemas['CreateTaskRequest'];
  const form = document.paths[CREATE]?.post?.requestBody.content['multipart/form-data']?.schema;
  if (!create || !form) throw new Error('The document has no create.');
  for (const { properties } of [create, form]) properties['taskType'] = { enum: taskTypes };
  delete form.properties['labels'];
  return document;
}
