import type { Word } from './messages.ts';

/** Gathers what one turn has to tell somebody, and hands it on in one piece. */
export interface Outlet {
  add(word: Word): void;
}

/** `flush` is called in a later microtask, with everything since the last time and how many characters that is. */
export function createOutlet(flush: (words: readonly Word[], characters: number) => void): Outlet {
  let words: Word[] = [];
  return {
    add(word) {
      words.push(word);
      if (words.length > 1) return;
      queueMicrotask(() => {
        const all = words;
        words = [];
        flush(
          all,
          all.reduce((sum, [, , text]) => sum + (typeof text === 'string' ? text.length : 0), 0),
        );
      });
    },
  };
}
