import { describe, expect, test, vi } from 'vitest';
import {
  and,
  assign,
  enqueueActions,
  initialTransition,
  not,
  raise,
  setup,
  transition,
  type AnyStateMachine,
  type EventObject,
} from 'xstate';
import { tableStepOf } from '../../machines/tables/index.ts';

interface Told extends EventObject {
  readonly by: number;
}
const types = {} as { context: { sum: number }; events: Told };
const chart = { id: 'sum', context: { sum: 0 }, initial: 'on' } as const;
const made = setup({
  types,
  guards: {
    isOdd: ({ context }) => context.sum % 2 === 1,
    isOver: ({ context }, most: number) => context.sum > most,
    isBroken: ({ event }) => {
      if (event.by > 1) throw new Error('A guard that nobody may ask.');
      return false;
    },
  },
  actions: {
    add: assign(({ context, event }) => ({ sum: context.sum + event.by })),
    addEach: assign({ sum: ({ context, event }) => context.sum + event.by }),
    tellAgain: raise({ type: 'add', by: 10 }),
    tellTwice: enqueueActions(({ enqueue }) => enqueue.raise({ type: 'add', by: 20 })),
    tellLate: enqueueActions(({ context, enqueue }) => {
      if (context.sum > 2) enqueue.raise({ type: 'add', by: 10 });
    }),
    hostsOwn: () => undefined,
  },
});

/** Steps by XState when an event has come before, and what came of them all. */
function stepped(machine: AnyStateMachine, events: readonly Told[]): { byXState: number; sum: unknown } {
  const step = tableStepOf(machine);
  let state = initialTransition(machine)[0];
  let expected = state;
  let asked = 0;
  for (const event of [...events, ...events]) {
    const reference = transition(machine, expected, event)[0];
    const spy = vi.spyOn(machine, 'transition');
    state = step(state, event)[0];
    asked += spy.mock.calls.length;
    spy.mockRestore();
    expect([state.value, state.context]).toEqual([reference.value, reference.context]);
    expected = reference;
  }
  return { byXState: asked, sum: (state.context as { readonly sum: number }).sum };
}

const tell = (type: string, by = 2): Told => ({ type, by });
const one = (on: object): AnyStateMachine =>
  made.createMachine({ ...chart, states: { on: { on } } } as never) as unknown as AnyStateMachine;

describe('a table of steps', () => {
  test('asks XState once for each answer of the guards', () => {
    const machine = one({ add: [{ guard: 'isOdd', actions: 'addEach' }, { actions: ['add', 'addEach'] }] });
    expect(stepped(machine, [tell('add', 1), tell('add', 1), tell('add', 2), tell('add', 3)])).toMatchObject({ byXState: 1 });
    expect(
      stepped(one({ add: [{ guard: not('isOdd'), actions: 'add' }, { actions: 'addEach' }] }), [tell('add', 1), tell('add', 2)]),
    ).toMatchObject({
      byXState: 2,
    });
  });

  test.each<[string, object]>([
    ['a guard with a parameter', { add: [{ guard: { type: 'isOver', params: 3 } }, { actions: 'add' }] }],
    ['a guard with a parameter in another one', { add: [{ guard: and(['isOdd', { type: 'isOver', params: 3 }]) }, { actions: 'add' }] }],
    ['a guard that throws, and that XState does not ask', { add: [{ actions: 'add' }, { guard: 'isBroken' }] }],
    ['what raises an event', { add: { actions: 'add' }, again: { actions: 'tellAgain' }, twice: { actions: 'tellTwice' } }],
    ['a wildcard', { '*': { actions: 'add' } }],
  ])('leaves %s to XState', (_, on) => {
    const { byXState } = stepped(one(on), [tell('add'), tell('again'), tell('twice')]);
    expect(byXState).toBeGreaterThan(2);
  });

  test('leaves an action to XState that asks for more than it did when its cell was learned', () => {
    const { byXState, sum } = stepped(one({ add: { actions: 'add' }, late: { actions: 'tellLate' } }), [
      tell('late'),
      tell('add'),
      tell('add'),
    ]);
    expect([byXState, sum]).toEqual([3, 18]);
  });

  test('leaves a chart to XState that does something on its way into a state', () => {
    const machine = made.createMachine({
      ...chart,
      states: {
        on: { on: { add: { target: 'off', actions: 'add' } } },
        off: { entry: 'hostsOwn', on: { add: { target: 'on', actions: 'add' } } },
      },
    });
    expect(stepped(machine, [tell('add'), tell('add')]).byXState).toBe(4);
  });

  test('ends each time with what it remembers then', () => {
    const ending = setup({ types: {} as { context: { sum: number }; events: Told; output: number } }).createMachine({
      context: { sum: 0 },
      initial: 'on',
      states: { on: { on: { add: 'off' } }, off: { type: 'final' } },
      output: ({ context }) => context.sum,
    });
    const step = tableStepOf(ending);
    const after = (sum: number): unknown => step(ending.resolveState({ value: 'on', context: { sum } }), { type: 'add', by: 1 })[0].output;
    const spy = vi.spyOn(ending, 'transition');
    expect([after(1), after(2), after(2)]).toEqual([1, 2, 2]);
    expect(spy).toHaveBeenCalledTimes(1);
    spy.mockRestore();
  });
});
