import { expect, test } from 'vitest';
import { connectionMachine, recoveryMachine, transportMachine } from '../../machines/index.ts';

interface Node {
  readonly on?: Readonly<Record<string, unknown>>;
  readonly after?: Readonly<Record<string, unknown>>;
  readonly always?: unknown;
  readonly invoke?: unknown;
  readonly states?: Readonly<Record<string, Node>>;
}
const many = (value: unknown): number => (value === undefined ? 0 : [value].flat().length);
const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);
const sumOf = (map: object = {}): number => sum(Object.values(map).map(many));

function statesOf({ states = {} }: Node): number {
  return sum(Object.values(states).map((state) => 1 + statesOf(state)));
}

function arrowsOf({ on, after, always, invoke, states = {} }: Node): number {
  const ends = ([invoke ?? []].flat() as { onDone?: unknown; onError?: unknown }[]).map(
    ({ onDone, onError }) => many(onDone) + many(onError),
  );
  return sumOf(on) + sumOf(after) + many(always) + sum(ends) + sum(Object.values(states).map(arrowsOf));
}

test.each([
  ['transport', transportMachine],
  ['connection', connectionMachine],
  ['recovery', recoveryMachine],
])('the chart %s is small enough to be read when it is drawn: at most 16 states and 45 arrows', (_name, { config }) => {
  // The literal is typed by its own names.
  const root = config as Node;
  expect(statesOf(root)).toBeLessThanOrEqual(16);
  expect(arrowsOf(root)).toBeLessThanOrEqual(45);
});
