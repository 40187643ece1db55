/** So many lines has an answer: more than its closing fact has room for. */
const LINES = 2400;
/** Of these characters each has another length in UTF-8, the last two have two code units, and the accent is a code point of its own. */
const WORDS = ['so', 'büro', '語', 'e\u0301', '🙂', '👩‍👩‍👧'];

/** What a writer writes, line by line: no two writers have a line in common, and none repeats one. */
export function linesOf(writer: number | string, count = LINES): readonly string[] {
  return Array.from({ length: count }, (_, nth) => `${writer}:${nth} ${WORDS[nth % WORDS.length]} and on\n`);
}

/** All that a writer writes. */
export function textOf(writer: number | string, count = LINES): string {
  return linesOf(writer, count).join('');
}

/** The plan is short: its closing fact has it. */
export const PLAN_LINES = 40;
