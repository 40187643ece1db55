import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { createMachine, initialTransition, transition, type AnyMachineSnapshot, type AnyStateMachine } from 'xstate';
import type { TaskEvent } from '../../machines/task/task.machine.ts';
import type { SuspensionEvent } from '../../machines/suspension/suspension.machine.ts';
import { allCharts } from '../../scripts/charts/chart-list.ts';
import { chartDifferences } from '../../scripts/charts/chart-diff.ts';
import { chartLiteral } from '../../scripts/charts/chart-json.ts';
import { flows } from '../../scripts/charts/flows.ts';
import { alphabetOf, factTable, intentTable } from '../charts/alphabet.ts';
import { edgesOf } from '../charts/drawn.ts';
import { intents } from '../charts/history.ts';

const folder = fileURLToPath(new URL('../../docs/charts/', import.meta.url));
const files = [...Object.keys(allCharts), ...Object.keys(flows).map((name) => `${name}.flow`)];
const textOf = (name: string): string => readFileSync(`${folder}${name}.json`, 'utf8');

describe.each(files)('docs/charts/%s.json', (name) => {
  test('is data that XState loads as it stands, without functions or marks of them', () => {
    const loaded = load(name);
    expect(loaded.id).toBe(name.replace('.flow', ''));
    expect(edgesOf(loaded)).not.toEqual([]);
    expect(textOf(name)).not.toMatch(/\$function|=>/);
  });
});

describe.each(Object.entries(allCharts))('the chart %s from its JSON', (name, chart) => {
  test('has each state, transition, guard, action, tag and description of the source', () => {
    const loaded = load(name);
    expect(edgesOf(loaded)).toEqual(edgesOf(chart));
    expect(chartDifferences(sourceOf(chart), loaded)).toEqual([]);
    expect(loaded.config.context ?? {}).toEqual(chartLiteral(chart)['context'] ?? {});
  });
});

/** Those that are walked by what they are told, without actors. */
const told = {
  task: alphabetOf<TaskEvent>({ ...factTable, ...intentTable, 'log.joined': [{ type: 'log.joined' }] }),
  suspension: [...alphabetOf(factTable), ...intents] as SuspensionEvent[],
};

describe.each(Object.entries(told))('the chart %s from its JSON, with the names filled in', (name, alphabet) => {
  test('reaches the same states by the same events', () => {
    const chart = allCharts[name] as AnyStateMachine;
    const loaded = load(name).provide(chart.implementations);
    const [begin] = initialTransition(loaded) as [AnyMachineSnapshot, unknown];
    const found = new Map([[shown(begin), { snapshot: begin, law: initialTransition(chart)[0] as AnyMachineSnapshot }]]);
    const others: string[] = [];
    for (const [text, { snapshot, law }] of found)
      for (const event of alphabet) {
        const [next] = transition(loaded, snapshot, event) as [AnyMachineSnapshot, unknown];
        const [expected] = transition(chart, law, event) as [AnyMachineSnapshot, unknown];
        if (shown(next) !== shown(expected)) others.push(`${text} takes ${JSON.stringify(event)}`);
        if (!found.has(shown(next)) && found.size < STATES_MAX) found.set(shown(next), { snapshot: next, law: expected });
      }
    expect(others).toEqual([]);
    expect(found.size).toBeGreaterThan(5);
  });
});

const STATES_MAX = 30;

function load(name: string): AnyStateMachine {
  return createMachine(JSON.parse(textOf(name)) as never);
}

/** What code computes has no place in the JSON. */
function sourceOf(chart: AnyStateMachine): AnyStateMachine {
  return createMachine(chartLiteral(chart) as never);
}

function shown({ value, context }: AnyMachineSnapshot): string {
  return JSON.stringify({ value: value as unknown, context: context as unknown });
}
