import { expect, test } from 'vitest';
import { sourceFiles, textOfFile } from './project-files.ts';

/** What some platform of the client lacks, or has in part, and what is used instead. Source: docs/react-native.md. */
const lacking: readonly { readonly what: RegExp; readonly except: RegExp; readonly instead: string }[] = [
  { what: /\bnew URL\b|\bURL\.\w|\bURLSearchParams\(/, except: /$^/, instead: 'text: React Native has half of URL' },
  {
    what: /(?<!#buffer)\.abort\([^)]|signal\??\.reason\b/,
    except: /^client\/abort\.ts$/,
    instead: 'client/abort.ts: signals of React Native forget reasons',
  },
  { what: /redirect: 'error'/, except: /$^/, instead: 'directFetch: workerd refuses the word' },
  { what: /\\p\{\w+\}[^'"`]*\/u/, except: /$^/, instead: 'ranges: not every Hermes knows classes of characters' },
];

/** Files that browsers, React Native and workers load. */
const isForAll = (file: string): boolean => /^(client|machines)\//.test(file) && !file.startsWith('client/node/');

test('the client uses nothing that one of its platforms lacks', () => {
  expect(
    sourceFiles()
      .filter(isForAll)
      .flatMap((file) => faultsOf(file, textOfFile(file))),
  ).toEqual([]);
});

test.each([
  ['new URL(text)'],
  ['if (URL.canParse(text))'],
  ['new URLSearchParams(query)'],
  ['controller.abort(error)'],
  ['throw signal.reason'],
  ["fetch(url, { redirect: 'error' })"],
  ['/\\p{Cs}/u.test(text)'],
])('sees it in `%s`', (text) => {
  expect(faultsOf('client/a.ts', text)).toHaveLength(1);
});

test('comments may name it', () => {
  expect(faultsOf('client/a.ts', '// Not by `new URL(text)`.\n/** Nor by `URL.canParse`. */\ncontroller.abort();')).toEqual([]);
});

function faultsOf(file: string, text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/ .*/g, (comment) => comment.replace(/[^\n]/g, ' '));
  return code
    .split('\n')
    .flatMap((line, index) =>
      lacking
        .filter(({ what, except }) => what.test(line) && !except.test(file))
        .map(({ instead }) => `${file}:${index + 1}: ${line.trim()} (instead: ${instead})`),
    );
}
