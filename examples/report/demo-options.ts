import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { answers, type Answer } from './job/index.ts';

/** What the demo was asked to do. */
export interface DemoOptions {
  readonly path: string;
  /** Without cuts, blocks and kills. */
  readonly calm: boolean;
  /** The answer to give; undefined: ask, where somebody is there. */
  readonly answer: Answer | undefined;
}

/** Reads the command line. Throws with a sentence for a person. */
export function readDemoOptions(args: readonly string[]): DemoOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { calm: { type: 'boolean', default: false }, answer: { type: 'string' } },
  });
  const answer = answers.find((known) => known === values.answer);
  if (values.answer !== undefined && !answer) throw new Error(`--answer has to be one of ${answers.join(', ')}, not "${values.answer}".`);
  return { path: positionals[0] ?? fileURLToPath(new URL('orders.csv', import.meta.url)), calm: values.calm, answer };
}
