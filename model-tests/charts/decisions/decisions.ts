import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import { initialTransition, type AnyStateMachine, type EventObject, type StateValue } from 'xstate';
import { take } from '../chart.ts';
import { rowsOf, wordsOf, type DecisionCell, type DecisionRow, type StateRow } from './decision-table.ts';

/** A cell, and what a chart remembers in it. */
export interface ContextCell<Context> extends DecisionCell {
  readonly before: Context;
}

/** A chart, and what it has to decide, by hand. */
export interface Decisions<Context> {
  readonly name: string;
  readonly machine: AnyStateMachine;
  readonly states: readonly StateRow[];
  readonly rows: readonly DecisionRow[];
  readonly cells: readonly ContextCell<Context>[];
  readonly events: Readonly<Record<string, EventObject>>;
  /** The value of a state of the table. */
  value(state: string): StateValue;
  /** What a word of the table stands for, where the intent bears the rest. */
  said(word: string, event: EventObject, before: Context): readonly EventObject[];
  /** What is remembered after a change that a word names; undefined for a word that it does not know. */
  changed(word: string, before: Context): Context | undefined;
}

/** What a chart decides otherwise than its table says, a line each, as they are found. */
export function* faultsOf<Context>(decisions: Decisions<Context>, machine: AnyStateMachine = decisions.machine): Generator<string> {
  yield* stateFaults(decisions, machine);
  for (const cell of decisions.cells) yield* cellFaults(decisions, machine, cell);
}

function stateFaults<Context>({ states, value, cells }: Decisions<Context>, machine: AnyStateMachine): string[] {
  const first = states[0]?.state ?? '';
  const begins = JSON.stringify(initialTransition(machine)[0].value as StateValue) === JSON.stringify(value(first));
  return [
    ...(begins ? [] : [`it does not begin as ${first}`]),
    ...states.flatMap(({ state, tags }) => {
      const context = cells.find((cell) => cell.state === state)?.before;
      const snapshot = machine.resolveState({ value: value(state), context } as never);
      const found = [...(snapshot.tags as ReadonlySet<string>)].sort();
      const isOver = tags.includes('terminal');
      if (isOver !== (snapshot.status === 'done')) return [`${state} is ${isOver ? 'not ' : ''}over`];
      return isDeepStrictEqual(found, tags) ? [] : [`${state} has the tags ${found.join(', ')}`];
    }),
  ];
}

function cellFaults<Context>(decisions: Decisions<Context>, machine: AnyStateMachine, cell: ContextCell<Context>): string[] {
  const { rows, events, value, said, changed } = decisions;
  const { state, told, where, before } = cell;
  const [row] = rowsOf(rows, cell);
  const event = events[told];
  const name = `${state}, ${told}, ${where}`;
  if (!row || !event) return [`${name}: no row`];
  const { next, emitted } = take(machine, machine.resolveState({ value: value(state), context: before } as never), event);
  const wanted = {
    emitted: row.says.flatMap((word) => said(word, event, before)),
    value: value(row.then ?? state),
    context: row.remembers.reduce<Context | undefined>((after, word) => after && changed(word, after), before),
  };
  const found = { emitted, value: next.value as StateValue, context: next.context as Context };
  return (['emitted', 'value', 'context'] as const).flatMap((part) =>
    isDeepStrictEqual(found[part], wanted[part])
      ? []
      : [`${name}: ${part} is ${JSON.stringify(found[part])}, not ${JSON.stringify(wanted[part])}`],
  );
}

/** The names of the states that have no inner ones. */
function leavesOf(state: AnyStateMachine['root']): string[] {
  const inner = Object.values(state.states);
  return inner.length === 0 ? [state.key] : inner.flatMap(leavesOf);
}

/** Holds a chart against its table, and its table against the chart and the protocol. */
export function describeDecisions<Context>(decisions: Decisions<Context>): void {
  const { name, machine, rows, cells, states } = decisions;
  describe(`the table of what a ${name} decides`, () => {
    test('has one row for each state, each that it may be told, and each that it may remember', () => {
      const counts = cells.map((cell) => ({ ...cell, found: rowsOf(rows, cell).length }));
      const wrong = counts
        .filter(({ found }) => found !== 1)
        .map(({ state, told, where, found }) => `${found}: ${state}, ${told}, ${where}`);
      expect(wrong).toEqual([]);
      const used = new Set(cells.flatMap((cell) => rowsOf(rows, cell)));
      expect(rows.filter((row) => !used.has(row)).map(({ line }) => line)).toEqual([]);
    });

    test('knows every state and every event of the chart', () => {
      const leaves = leavesOf(machine.root);
      expect(states.map(({ state }) => state)).toEqual(leaves);
      const told = new Set(Object.values(decisions.events).map(({ type }) => type));
      expect((machine.events as readonly string[]).filter((type) => !told.has(type))).toEqual([]);
    });

    test('is what the protocol says', () => {
      const words = wordsOf(readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8'));
      expect(rows.filter(({ because }) => !words.includes(wordsOf(because))).map(({ because }) => because)).toEqual([]);
    });

    test('is what the chart does', () => {
      expect([...faultsOf(decisions)]).toEqual([]);
    });
  });
}
