import type { StreamStep } from './plan.ts';

/** Of one, two, three and four bytes; the last is cut between its halves by who writes it. */
const letters = ['a', 'ß', '€', '🙂'];

/** The pieces of a part, in order: no two of a history are alike, some end within a character. */
export function piecesOf(whose: string, { pieces, size, kind }: StreamStep): readonly string[] {
  const whole = Array.from({ length: pieces }, (_, n) => `<${whose}:${n}>${(letters[n % letters.length] ?? '').repeat(size)}`);
  if (kind === 'jsonl') return whole.map((text) => `${JSON.stringify(text)}\n`);
  return whole.map((text, n) => {
    const head = endsInPair(whole[n - 1]) ? '\ude42' : '';
    const isCut = endsInPair(text) && n < whole.length - 1;
    return head + (isCut ? text.slice(0, -1) : text);
  });
}

function endsInPair(text: string | undefined): boolean {
  return text?.endsWith('🙂') ?? false;
}
