import type { StateRow } from './decision-table.ts';
import type { Effect } from './observed-step.ts';

/** A time that passes, as XState tells that it is over; `id` is that of the state in which it does. */
export function over(time: string, id: string): { readonly type: string } {
  return { type: `xstate.after.${time}.${id}` };
}

/** What a word of an acting chart stands for; `sources` names what each of its actors is made of, `input` what it is given. */
export function actingEffect(word: string, sources: Readonly<Record<string, string>>, input?: unknown): Effect {
  const [verb, what = '', source] = word.split(' ');
  if (verb === 'begins') return { type: 'begins', time: what };
  if (verb === 'opens') return { type: 'opens', id: what, src: source ?? sources[what] ?? '', input };
  throw new Error(`No chart does “${word}”.`);
}

/** True for what may be told in a state: an actor that does not run has no end, and a time that does not pass is not over. */
export function mayBeTold({ runs, waits }: StateRow, { type }: { readonly type: string }): boolean {
  const [, kind, name = '', ...rest] = type.split('.');
  if (!type.startsWith('xstate.')) return true;
  return kind === 'after' ? waits.includes(name) : runs.includes(rest.join('.'));
}
