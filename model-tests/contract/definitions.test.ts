import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import * as mini from 'zod/mini';
import { inProcess } from 'taskbridge/adapters/in-process';
import { memoryStore } from 'taskbridge/adapters/memory';
import { contractLimits, defineTasks, task, type QuestionDefinition, type TaskDefinition } from 'taskbridge/contract';
import { createTaskBridge } from 'taskbridge/server';
import { tasks } from './tasks.ts';

/** What somebody without TypeScript may give. */
const of = (definition: unknown) => () => defineTasks({ 'report.build': definition as TaskDefinition });
const asking = (questions: unknown) => of({ questions: questions as Record<string, QuestionDefinition> });
const anything = z.object({});

describe('a contract', () => {
  it.each<[string, () => unknown, string]>([
    ['what is no schema', of({ input: { type: 'object' } }), 'The input of report.build is no Standard Schema'],
    ['nothing where a schema is', of({ result: null }), 'The result of report.build is no Standard Schema'],
    ['a schema that tells no JSON Schema', of({ input: mini.object({}) }), 'The input of report.build has no JSON Schema'],
    ['a schema that has none', of({ result: z.date() }), 'The result of report.build has no JSON Schema (Date cannot be represented'],
    ['one beside that is no object', of({ input: { schema: mini.object({}), jsonSchema: 'x' } }), 'The JSON Schema of the input'],
    ['a question without actions', asking({ q: {} }), 'has 0 actions; it must have 1 to 64'],
    ['a name with a colon', asking({ 'a:b': { actions: { yes: anything } } }), 'has a ":" in its name'],
    ['no name', asking({ ' ': { actions: { yes: anything } } }), 'must have a name of 1 to 128 characters'],
    ['a name that is too long', of({ questions: { q: { actions: { ['x'.repeat(129)]: anything } } } }), 'must have a name of 1 to 128'],
    [
      'one reason for two questions',
      asking({ a: { actions: { yes: anything } }, b: { reasonCode: 'a', actions: { yes: anything } } }),
      'Two questions of report.build have the reason code "a"',
    ],
    [
      'schemas of actions that no question can carry',
      asking({ q: { actions: { yes: z.object({ x: z.literal('x'.repeat(contractLimits.actionSchemasBytesMax)) }) } } }),
      'they may have 32768, since each question carries them',
    ],
    [
      'a part of no kind',
      of({ parts: { answer: 'words' } }),
      'The part answer of report.build is "words"; it must be one of text, reasoning',
    ],
    ['a part without a name', of({ parts: { ' ': 'text' } }), 'must have a name of 1 to 128 characters'],
  ])('is refused with %s', (_, define, message) => {
    expect(define).toThrow(message);
  });

  it('takes a schema of any library, with its JSON Schema beside it', () => {
    const input = mini.object({ n: mini.number() });
    const made = defineTasks({ x: task({ input: { schema: input, jsonSchema: mini.toJSONSchema(input) as never } }) });
    expect(Object.keys(made.types)).toEqual(['x']);
  });

  it('has 64 actions of a question at most, and names of 128 characters', () => {
    const actions = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, nth) => [`action ${nth}`, anything]));
    asking({ ['q'.repeat(128)]: { actions: actions(64) } })();
    expect(asking({ q: { actions: actions(65) } })).toThrow('has 65 actions');
  });
});

describe('handlers of a contract', () => {
  // Who has no TypeScript is told by a sentence.
  const given = (handlers: unknown) => () => inProcess(tasks, handlers as never);
  const echo = async () => null;

  it.each<[string, unknown, string]>([
    ['one is missing', { echo }, 'The type "report.build" of the contract has no handler'],
    ['there are none', undefined, 'The type "report.build" of the contract has no handler'],
    ['one is no function', { echo, 'report.build': { run: 1 } }, 'The type "report.build" of the contract has no handler'],
    [
      'one is foreign',
      { echo, 'report.build': { run: echo }, 'report.biuld': echo },
      'The handler "report.biuld" is of no type of the contract',
    ],
  ])('are refused where %s', (_, handlers, message) => {
    expect(given(handlers)).toThrow(message);
  });

  it('are refused by a bridge that is given something else as its contract', () => {
    const make = () =>
      createTaskBridge({ store: memoryStore(), executor: inProcess({}), auth: () => undefined, contract: { types: {} } as never });
    expect(make).toThrow('contract is none: give what defineTasks');
  });
});
