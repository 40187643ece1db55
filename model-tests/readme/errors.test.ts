import { TaskBridgeClientError } from 'taskbridge/client';
import { TaskBridgeError } from 'taskbridge/server';
import { describe, expect, test } from 'vitest';
import { taskMachine } from '../../machines/index.ts';
import { filesBelow, textOfFile } from '../house/project-files.ts';

/** The members of a union of texts, as its source has them. */
function unionOf(file: string, name: string): readonly string[] {
  const [, body = ''] = new RegExp(`export type ${name} =([\\s\\S]*?)';\\n`).exec(textOfFile(file)) ?? [];
  return [...body.matchAll(/^\s*\| '(\w+)/gm)].map(([, code = '']) => code);
}

/** What the task's chart refuses of what work asks and writes, as its handler is told of it. */
function refusedOfWork(): readonly string[] {
  const { on } = taskMachine.config.states?.active ?? {};
  const asked = ['report.suspended', 'report.part.opened', 'report.part.closed'];
  // Ours is a literal of data: what refuses has its code among its parameters.
  const refusals = asked.map((intent) => JSON.stringify((on as Readonly<Record<string, unknown>>)[intent]));
  return refusals.flatMap((text) => [...text.matchAll(/"code":"(\w+)"/g)].map(([, code = '']) => code));
}

/** The codes of the envelope, as their source has them. */
const envelopeCodes = [...textOfFile('machines/wire/errors.ts').matchAll(/^ {2}([A-Z_]+): '/gm)].map(([, code = '']) => code);

const page = textOfFile('docs/errors.md');
const sections = new Map(
  page.split(/^## /m).map((section) => [section.split('\n')[0] ?? '', [...section.matchAll(/^### (\w+)\n\n\S/gm)].map(([, code]) => code)]),
);

describe('the page of errors', () => {
  test.each([
    ['From the server', envelopeCodes],
    ['From the client', unionOf('client/errors.ts', 'ClientErrorCode')],
    ['From the outbox', unionOf('client/outbox/errors.ts', 'OutboxErrorCode')],
  ])('says of each code %s what it means', (section, codes) => {
    expect(codes.length).toBeGreaterThan(3);
    expect(sections.get(section)?.toSorted()).toEqual(codes.toSorted());
  });

  test('says of each code of work what it means: those that fail a task by themselves, and those that its handler may catch', () => {
    const told = [...(sections.get('Of tasks that failed') ?? []), ...(sections.get('In handlers') ?? [])];
    const written = /(?:(?:TaskFailure|RefusedReport|taskFailure|super)\(\s*|\b(?:code|type): )'([A-Z]+(?:_[A-Z]+)+)'/g;
    const files = filesBelow().filter((name) => /^(adapters\/(in-process|temporal|worker)|server\/attempt)\/.*\.ts$/.test(name));
    const codes = files.flatMap((file) => [...textOfFile(file).matchAll(written)].map(([, code = '']) => code));
    // Of the envelope, and said there.
    const known = new Set([...codes, ...refusedOfWork(), 'QUESTIONS_FULL'].filter((code) => !envelopeCodes.includes(code)));
    expect(known.size).toBeGreaterThan(15);
    expect(told.toSorted()).toEqual([...known].toSorted());
  });

  test.each([
    ['the server', new TaskBridgeError('TASK_NOT_FOUND', 'There is none.')],
    ['the client', new TaskBridgeClientError('NO_TRANSPORT', 'There is none.')],
  ])('is where an error of %s says that it is', (_, { help }) => {
    const [, file = '', anchor] = /^taskbridge\/(docs\/\w+\.md)#(\w+)$/.exec(help) ?? [];
    expect([...textOfFile(file).matchAll(/^### (\w+)$/gm)].map(([, heading = '']) => heading.toLowerCase())).toContain(anchor);
  });

  test('says of the server’s codes which status they have', () => {
    const statuses = [...page.matchAll(/^### (\w+)\n\n(\d{3})\. /gm)].map(([, code, status]) => [code, status]);
    const table = textOfFile('docs/protocol.md').split('### Errors\n')[1]?.split('\n## ')[0] ?? '';
    const rows = [...table.matchAll(/^\| (\d{3}) \| (.*) \|$/gm)].flatMap(([, status, codes = '']) =>
      [...codes.matchAll(/`([A-Z_]+)`/g)].map(([, code]) => [code, status]),
    );
    expect(statuses.toSorted()).toEqual(rows.toSorted());
  });
});
