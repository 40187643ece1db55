import type { SuspensionEvent } from '../../machines/suspension/suspension.machine.ts';
import { expect, test } from 'vitest';
import { suspensionMachine } from '../../machines/index.ts';
import { factTypes, isSuspensionType, isTerminalType } from '../../machines/wire/index.ts';
import { alphabetOf, fact, factTable, question } from './alphabet.ts';
import { describeChart } from './chart-suite.ts';
import { eventTypesOf } from './drawn.ts';

const DEADLINE = '2026-01-01T12:00:00Z';
const BEFORE = '2026-01-01T11:59:59.999Z';

const action = { type: 'action.submit', suspendId: 'a', clientActionId: 'c1', actionType: 'keep' } as const;
const timedQuestion = question('a', DEADLINE);
describeChart({
  name: 'suspension',
  machine: suspensionMachine,
  alphabet: alphabetOf<SuspensionEvent>({
    ...factTable,
    TASK_SUSPENDED: [fact('TASK_SUSPENDED', question('a')), fact('TASK_SUSPENDED', timedQuestion)],
    'report.suspended': [{ type: 'report.suspended', payload: question('a') }],
    'action.submit': [BEFORE, DEADLINE].flatMap((at) => [
      { ...action, at },
      { ...action, at, actionType: 'burn' },
      { ...action, at, receipt: 'same' as const },
      { ...action, at, receipt: 'different' as const },
    ]),
    'suspension.expire': [BEFORE, DEADLINE].map((at) => ({ type: 'suspension.expire', suspendId: 'a', at })),
  }),
  takesEveryFact: false,
  isBeyond: () => false,
  presets: [],
});

test('the suspension chart has an arrow for each type of fact that is about a suspension or the end, and for no other', () => {
  const drawn = eventTypesOf(suspensionMachine);
  expect(factTypes.filter((type) => drawn.has(type))).toEqual(factTypes.filter((type) => isSuspensionType(type) || isTerminalType(type)));
});
