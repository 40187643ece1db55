import { entryMachine, type EntryEvent } from '../../../client/outbox/entry.machine.ts';
import { decisionRows, stateRows } from './decision-table.ts';
import type { Decisions } from './decisions.ts';

const file = new URL('entry.md', import.meta.url);
const states = stateRows(file);
const types: readonly EntryEvent['type'][] = ['entry.sent', 'entry.answered', 'entry.refused', 'entry.aged', 'entry.withdrawn'];

/** The chart of a command of an outbox, and `entry.md`. It remembers nothing. */
export const entryDecisions: Decisions<object> = {
  name: 'command of an outbox',
  machine: entryMachine,
  pages: ['client/README.md'],
  states,
  rows: decisionRows(file, { settled: ['done', 'refused', 'expired', 'withdrawn'] }),
  cells: states.flatMap(({ state }) => types.map((told) => ({ state, told, where: 'nothing', before: {} }))),
  events: Object.fromEntries(types.map((type) => [type, { type }])),
  begins: {},
  value: (state) => state,
  said: () => [],
  changed: () => undefined,
};
