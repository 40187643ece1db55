/** What no history may have: each word that an activity tells begins with it. */
export const MARK = 'zq×';

/** The nth word of a try's answer. */
export const wordOf = (attempt: number, nth: number): string => `${MARK}${attempt}.${nth} 語🙂 `;

/** What a try thinks before it answers. */
export const thoughtOf = (attempt: number): string => `${MARK}${attempt} thinks`;

/** A try's whole answer, or the beginning of it. */
export const answerOf = (attempt: number, words: number): string =>
  Array.from({ length: words }, (_, nth) => wordOf(attempt, nth)).join('');
