import * as fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { initialTransition, transition, type AnyMachineSnapshot, type EventObject, type StateValue } from 'xstate';
import { tableStepOf } from '../../machines/tables/index.ts';
import { contextOf, textOf, type BoundedChart } from './chart.ts';
import { eventTypesOf } from './drawn.ts';

type Taken = readonly [AnyMachineSnapshot, readonly { readonly type: string; readonly params?: unknown }[]];
type AnyStep = {
  (snapshot: AnyMachineSnapshot, event: EventObject): Taken;
  takes(snapshot: AnyMachineSnapshot, event: EventObject): boolean;
};

/** A step by a chart's table is XState's, in each of these states and on walks. The table of a recorded chart leaves nothing to XState. */
export function describeStepTable(chart: BoundedChart, reachable: () => readonly AnyMachineSnapshot[]): void {
  const { machine, alphabet } = chart;
  // The chart is any machine here.
  const stepOfChart = (): AnyStep => tableStepOf(machine) as unknown as AnyStep;

  test('steps by its table as XState does, for every event in every reachable state', () => {
    const step = stepOfChart();
    const cells = reachable().flatMap((snapshot) => alphabet.map((event) => ({ snapshot, event, by: byXState(snapshot, event) })));
    const others = (read: (snapshot: AnyMachineSnapshot) => AnyMachineSnapshot) =>
      cells.flatMap(({ snapshot, event, by }) => {
        const own = seen(step, read(snapshot), event);
        return own === by ? [] : [{ in: textOf(snapshot), event, own, by }];
      });
    // Once to learn, once from what was learned.
    expect(others((snapshot) => snapshot)).toEqual([]);
    const asked = vi.spyOn(machine, 'transition');
    try {
      // As a store gives them back, with values and contexts of their own.
      expect(others(restored)).toEqual([]);
      const named = eventTypesOf(machine);
      expect(asked.mock.calls.map(([, { type }]) => type as string).filter((type) => named.has(type))).toEqual([]);
    } finally {
      asked.mockRestore();
    }
  });

  test('steps by its table as XState does on random walks, and ignores what it does not know', () => {
    const step = stepOfChart();
    const events = fc.array(fc.constantFrom(...alphabet, { type: 'toString' }, { type: '__proto__' }, { type: 'a.later.version' }), {
      maxLength: 60,
    });
    const property = fc.property(events, (walk) => {
      let own = initialTransition(machine)[0];
      let xstates = own;
      for (const event of walk) {
        expect(seen(step, own, event)).toBe(byXState(xstates, event));
        own = step(own, event)[0];
        xstates = transition(machine, xstates, event)[0];
      }
    });
    fc.assert(property, { seed: 20_260_101, numRuns: 300 });
  });

  function byXState(snapshot: AnyMachineSnapshot, event: EventObject): string {
    return shown(transition(machine, snapshot, event) as unknown as Taken, snapshot.can(event));
  }

  function restored(snapshot: AnyMachineSnapshot): AnyMachineSnapshot {
    const { value, context } = structuredClone({ value: snapshot.value as StateValue, context: contextOf(snapshot) });
    // No stored form has what a chart ended with.
    return Object.assign(machine.resolveState({ value, context }) as AnyMachineSnapshot, { output: snapshot.output as unknown });
  }
}

function seen(step: AnyStep, snapshot: AnyMachineSnapshot, event: EventObject): string {
  const before = textOf(snapshot);
  const taken = step(snapshot, event);
  // Never changed in place.
  return textOf(snapshot) === before ? shown(taken, step.takes(snapshot, event)) : `${before} became ${textOf(snapshot)}`;
}

/** All that anybody may ask of an answer, as one text. */
function shown([next, actions]: Taken, takes: boolean): string {
  const { status, tags, machine } = next;
  const nodes = next._nodes.map(({ id }) => id).sort();
  const emitted = actions.map(({ type, params }) => ({ type, params }));
  const ends = [next.output as unknown, next.error as unknown];
  return JSON.stringify([textOf(next), status, ends, [...tags].sort(), machine.id, nodes, emitted, takes]);
}
