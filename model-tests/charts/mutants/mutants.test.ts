import { expect, test } from 'vitest';
import { faultsOf, type Decisions } from '../decisions/decisions.ts';
import { suspensionDecisions } from '../decisions/suspension-decisions.ts';
import { taskDecisions } from '../decisions/task-decisions.ts';
import { mutantsOf } from './mutants.ts';

/** Faults that change nothing that anybody could see, each with its reason. */
const alike: Readonly<Record<string, string>> = {
  '.active TASK_MESSAGE dropped': 'it is drawn to say that it changes nothing',
  '.active.running TASK_STARTED dropped': 'any open task runs then, and this one does',
  '.active.suspended TASK_ACTION_ACCEPTED 2 dropped': 'any open task closes the question, and stays',
  '.active.suspended TASK_SUSPENSION_CLOSED 2 dropped': 'any open task closes the question, and stays',
  '.resolved action.submit 2 before its elder': 'an id was used for the same or for another, never for both',
  '.active TASK_COMPLETED with its actions the other way round': 'one closes, the other records; neither reads what the other writes',
  '.active TASK_FAILED with its actions the other way round': 'one closes, the other records; neither reads what the other writes',
  '.active TASK_CANCELLED with its actions the other way round': 'one closes, the other records; neither reads what the other writes',
};

test.each<[string, Decisions<never>]>([
  ['task', taskDecisions as Decisions<never>],
  ['question', suspensionDecisions as Decisions<never>],
])('the table of a %s finds every small fault of its chart', (_name, decisions) => {
  const mutants = [...mutantsOf(decisions.machine)];
  const lived = mutants.filter(({ machine }) => faultsOf(decisions, machine).next().done).map(({ name }) => name);
  expect(mutants.length).toBeGreaterThan(100);
  expect(lived.filter((name) => !(name in alike))).toEqual([]);
  const own = new Set(mutants.map(({ name }) => name));
  expect(Object.keys(alike).filter((name) => own.has(name) && !lived.includes(name))).toEqual([]);
});
