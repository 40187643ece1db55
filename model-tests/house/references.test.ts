import { existsSync } from 'node:fs';
import { dirname, posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { filesBelow, root, sourceFiles, textOfFile } from './project-files.ts';

const PROTOCOL = 'docs/protocol.md';
const documents = filesBelow().filter((name) => name.endsWith('.md'));

/** The headings of a document, as they are written. Lines of code aside: a comment of a shell is none. */
function headingsOf(document: string): string[] {
  const prose = textOfFile(document).replace(/^```[\s\S]*?^```/gm, '');
  return [...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading);
}

/** The part after `#` in a link to a heading, as GitHub makes it. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-');
}

/**
 * The headings that a text says it follows, with their document: `protocol, "Facts"`, `server/README.md, "The commit path"`, and the kit's
 * rules, `docs/protocol.md, WebSocket and Server-sent events: history first`.
 */
function headingsNamedIn(text: string): { readonly document: string; readonly heading: string }[] {
  const quoted = [...text.matchAll(/(?:\bprotocol|([\w/-]+\.md)), "([^"\n]+)"/g)].map(([, document = PROTOCOL, heading = '']) => ({
    document,
    heading,
  }));
  const ruled = [...text.matchAll(/(?<=['"`]|; )(docs\/protocol\.md), ([^'"`:;<\n]+)/g)].flatMap(([, document = '', headings = '']) =>
    headings.split(/, | and /).map((heading) => ({ document, heading: heading.trim() })),
  );
  return [...quoted, ...ruled];
}

/** What is wrong with what a file refers to. */
function deadReferences(file: string, text: string): string[] {
  return headingsNamedIn(text).flatMap(({ document, heading }) =>
    documents.includes(document) && headingsOf(document).includes(heading) ? [] : [`${file}: ${document} has no heading "${heading}"`],
  );
}

/** The files that a source file names by their place beside it, and that are not there. What is built is: a program by its source, the rest elsewhere. */
function deadFiles(file: string, text: string): string[] {
  return [...text.matchAll(/new URL\(\s*'([^':]+)',\s*import\.meta\.url,?\s*\)/g)].flatMap(([, path = '']) => {
    const target = posix.join(dirname(file), path);
    const isThere = [target, target.replace(/\.js$/, '.ts')].some((name) => existsSync(posix.join(root, name)));
    return isThere || target.startsWith('.data/') ? [] : [`${file}: ${target} is not there`];
  });
}

function deadLinks(document: string, text: string): string[] {
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) => {
    if (/^[a-z]+:/.test(link)) return [];
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? document : posix.join(dirname(document), path);
    if (!existsSync(posix.join(root, target))) return [`${document}: ${link} is not there`];
    return anchor === undefined || headingsOf(target).some((heading) => anchorOf(heading) === anchor)
      ? []
      : [`${document}: ${target} has no heading for #${anchor}`];
  });
}

describe('a reference', () => {
  test('from a source file is to a heading that is there', () => {
    const found = sourceFiles().filter((file) => !file.startsWith('model-tests/house/'));
    expect(found.flatMap((file) => headingsNamedIn(textOfFile(file))).length).toBeGreaterThan(50);
    expect(found.flatMap((file) => deadReferences(file, textOfFile(file)))).toEqual([]);
  });

  test('from a source file is to a file that is there', () => {
    const found = sourceFiles().filter((file) => !file.startsWith('model-tests/house/'));
    expect(found.flatMap((file) => deadFiles(file, textOfFile(file)))).toEqual([]);
    expect(deadFiles('a/b.ts', "new URL('gone.ts', import.meta.url)")).toEqual(['a/b.ts: a/gone.ts is not there']);
    expect(deadFiles('model-tests/b.ts', "new URL('../scripts/check.js', import.meta.url)")).toEqual([]);
  });

  test('from a document is to a file and a heading that are there', () => {
    expect(documents.flatMap((document) => deadLinks(document, textOfFile(document)))).toEqual([]);
    expect(documents.flatMap((document) => deadReferences(document, textOfFile(document)))).toEqual([]);
  });

  test.each([
    ['/** Source: protocol, "Events". */', 'x.ts: docs/protocol.md has no heading "Events"'],
    [`rule: 'docs/protocol.md, WebSockets: in a browser'`, 'x.ts: docs/protocol.md has no heading "WebSockets"'],
    [`rule: 'docs/protocol.md, Facts and Gaps'`, 'x.ts: docs/protocol.md has no heading "Gaps"'],
    ['See server/README.md, "Elsewhere".', 'x.ts: server/README.md has no heading "Elsewhere"'],
    ['See nowhere/README.md, "Elsewhere".', 'x.ts: nowhere/README.md has no heading "Elsewhere"'],
  ])('that is dead is found: %s', (text, fault) => {
    expect(deadReferences('x.ts', text)).toEqual([fault]);
  });

  test.each([
    ['[a](nowhere.md)', 'README.md: nowhere.md is not there'],
    ['[a](docs/protocol.md#events)', 'README.md: docs/protocol.md has no heading for #events'],
    ['[a](#nothing)', 'README.md: README.md has no heading for #nothing'],
  ])('that is dead is found among links: %s', (text, fault) => {
    expect(deadLinks('README.md', text)).toEqual([fault]);
  });

  test.each([['[a](docs/protocol.md#server-sent-events)'], ['[a](https://example.org/x#y)'], ['[a](docs)']])(
    'that lives is none: %s',
    (text) => {
      expect(deadLinks('README.md', text)).toEqual([]);
    },
  );
});
