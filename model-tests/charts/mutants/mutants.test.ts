import { expect, test } from 'vitest';
import { allDecisions } from '../decisions/chart-decisions.ts';
import { allFaults } from './faults/chart-faults.ts';
import { plantByHand } from './faults/planted.ts';
import { alike } from './equivalent-mutants.ts';
import { knownFaults } from './known-faults.ts';
import { faultOf, phaseGates } from './phase-gates.ts';
import { plantIn, plantInTable } from './survivors.ts';

/** Of so many faults one is tried here, always the same; `npm run mutants` tries all. */
const OF = 8;

const charts = [...allDecisions.map(({ machine }) => machine.id), ...phaseGates.map(({ table }) => table.id)];

test.each(allDecisions.map((decisions) => [decisions.machine.id, decisions] as const))(
  'the table of the %s finds its known faults and each eighth of all others',
  (chart, decisions) => {
    const known = Object.values(knownFaults).flatMap((faults) => faults.filter(([of]) => of === chart).map(([, fault]) => fault));
    // One that changes nothing is looked for in every cell.
    const isAlike = (name: string): boolean => name in (alike[chart] ?? {});
    const { there, planted, lived, outdated } = plantIn(
      decisions,
      (name, nth) => known.includes(name) || (nth % OF === 0 && !isAlike(name)),
    );
    expect(known.filter((name) => !planted.includes(name))).toEqual([]);
    expect(lived).toEqual([]);
    expect(outdated).toEqual([]);
    expect(new Set(there).size).toBe(there.length);
    expect(there.length).toBeGreaterThan(50);
  },
);

test.each(phaseGates.map((gate) => [gate.table.id, gate] as const))(
  'the rows of the table of phases “%s” find each eighth of all faults',
  async (id, gate) => {
    const { there, lived, outdated } = await plantInTable(gate, (name, nth) => nth % OF === 0 && !(name in (alike[id] ?? {})));
    expect(lived).toEqual([]);
    expect(outdated).toEqual([]);
    expect(there.length).toBeGreaterThan(50);
    expect(await faultOf(gate)).toBeUndefined();
  },
);

test.each(charts)('the rows of the %s find each fault that somebody thought of', async (chart) => {
  const { there, unexplained, outdated } = await plantByHand(chart);
  expect(unexplained).toEqual([]);
  expect(outdated).toEqual([]);
  expect(new Set(there).size).toBe(there.length);
  expect(there.length).toBeGreaterThan(7);
});

test('each known fault and each reason is of a chart that is there', () => {
  const named = [
    ...Object.values(knownFaults).flatMap((faults) => faults.map(([chart]) => chart)),
    ...Object.keys(alike),
    ...allFaults.map(({ chart }) => chart),
  ];
  expect(named.filter((chart) => !charts.includes(chart))).toEqual([]);
});
