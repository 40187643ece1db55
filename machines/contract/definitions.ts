import type { FactPayload, JsonObject } from '../wire/index.ts';
import { readSchema, type ContractSchema, type ReadSchema } from './standard-schema.ts';

/** A question that tasks of a type may ask. */
export interface QuestionDefinition {
  /** By type of action, what its payload is. */
  readonly actions: Readonly<Record<string, ContractSchema>>;
  /** What is shown with it. Defaults to any object. */
  readonly interaction?: ContractSchema;
  /** What the question is known by on the wire. Of one type of task no two have the same. Defaults to the question's name. */
  readonly reasonCode?: string;
  /** Defaults to `USER_ACTION_REQUIRED`. */
  readonly kind?: FactPayload<'TASK_SUSPENDED'>['kind'];
  /** The version of the question's form. Defaults to 1. */
  readonly schemaVersion?: number;
}

/** What a part of a contract may be. */
export type ContractPartKind = FactPayload<'TASK_PART_OPENED'>['kind'];

/** A type of task: what it is given, asks and gives. What is left out may be anything. */
export interface TaskDefinition {
  /** An object. Defaults to any. */
  readonly input?: ContractSchema;
  /** What tasks of the type complete with. Defaults to any JSON. */
  readonly result?: ContractSchema;
  /** By name. Defaults to none. */
  readonly questions?: Readonly<Record<string, QuestionDefinition>>;
  /** By name, what kind it is of: the parts that tasks of the type may write, and no other. Defaults to any. */
  readonly parts?: Readonly<Record<string, ContractPartKind>>;
}

/** Types of tasks by their names. */
export type TaskDefinitions = Readonly<Record<string, TaskDefinition>>;

const readTypes: unique symbol = Symbol.for('taskbridge.contract') as never;

/** Types of tasks that host, workers and pages agree on. */
export interface TaskContract<T extends TaskDefinitions = TaskDefinitions> {
  /** As they were defined. */
  readonly types: T;
  /** As they were read, by name. */
  readonly [readTypes]: ReadonlyMap<string, ContractType>;
}

/** A type of a contract, as it was read. */
export interface ContractType {
  readonly taskType: string;
  readonly input: ReadSchema | undefined;
  readonly result: ReadSchema | undefined;
  /** By name. */
  readonly questions: ReadonlyMap<string, ContractQuestion>;
  /** By name; undefined where any may be. */
  readonly parts: ReadonlyMap<string, ContractPartKind> | undefined;
}

/** A question of a contract, as it was read. */
export interface ContractQuestion {
  readonly name: string;
  readonly reasonCode: string;
  readonly kind: FactPayload<'TASK_SUSPENDED'>['kind'];
  readonly schemaVersion: number;
  readonly interaction: ReadSchema | undefined;
  /** By type of action. */
  readonly actions: ReadonlyMap<string, ReadSchema>;
}

/** The limits of what a contract says. */
export const contractLimits = {
  /** Longest name of a type, of a question, of an action and of a part, in characters. */
  nameCharactersMax: 128,
  /** Actions of one question. */
  actionsMax: 64,
  /** JSON Schemas of the actions of one question together, in bytes: they go with each question that is asked. */
  actionSchemasBytesMax: 32 * 1024,
} as const;

/** A type of task; only for its types, which an editor then knows. */
export function task<const D extends TaskDefinition>(definition: D): D {
  return definition;
}

/** A question; only for its types, which an editor then knows. */
export function question<const D extends QuestionDefinition>(definition: D): D {
  return definition;
}

/**
 * Defines types of tasks, once for the host, its workers and its pages: a page imports the type of what this gives, and no schema. Throws a
 * `TypeError` or `RangeError` that says which part cannot be, and why.
 */
export function defineTasks<const T extends TaskDefinitions>(types: T): TaskContract<T> {
  const read = new Map(Object.entries(types).map(([taskType, definition]) => [taskType, readType(taskType, definition)]));
  return Object.freeze({ types, [readTypes]: read });
}

/** True for what {@link defineTasks} made, in whichever copy of this module. */
export function isTaskContract(given: unknown): given is TaskContract {
  return typeof given === 'object' && given !== null && readTypes in given;
}

/** A type of a contract; undefined where it has none of that name. */
export function contractType(contract: TaskContract, taskType: string): ContractType | undefined {
  return contract[readTypes].get(taskType);
}

/** The question of a key that work asks under: `duplicates` itself, or one of several, `duplicates:2`. */
export function contractQuestion({ questions }: ContractType, key: string): ContractQuestion | undefined {
  return questions.get(key.split(':', 1)[0] ?? '');
}

/** The question of a reason code. */
export function questionOfReason({ questions }: ContractType, reasonCode: unknown): ContractQuestion | undefined {
  for (const one of questions.values()) if (one.reasonCode === reasonCode) return one;
  return undefined;
}

/** The JSON Schemas of actions, by their types; of those alone that the question has. */
export function actionSchemasOf({ actions }: ContractQuestion, types: readonly string[] = [...actions.keys()]): JsonObject {
  return Object.fromEntries(
    types.flatMap((type) => {
      const schema = actions.get(type);
      return schema ? [[type, schema.jsonSchema]] : [];
    }),
  );
}

function readType(taskType: string, { input, result, questions = {}, parts }: TaskDefinition): ContractType {
  assertName('type', taskType);
  const read = new Map(Object.entries(questions).map(([name, one]) => [name, readQuestion(taskType, name, one)]));
  const reasons = [...read.values()].map(({ reasonCode }) => reasonCode);
  const twice = reasons.find((reason, index) => reasons.indexOf(reason) < index);
  if (twice !== undefined)
    throw new TypeError(`Two questions of ${taskType} have the reason code ${JSON.stringify(twice)}: give each one of its own.`);
  return {
    taskType,
    input: input === undefined ? undefined : readSchema(`input of ${taskType}`, input, 'input'),
    result: result === undefined ? undefined : readSchema(`result of ${taskType}`, result, 'output'),
    questions: read,
    parts: parts && new Map(Object.entries(parts).map(([name, kind]) => [name, readPart(taskType, name, kind)])),
  };
}

const partKinds: Readonly<Record<ContractPartKind, true>> = { text: true, reasoning: true, 'tool-input': true, jsonl: true, latest: true };

function readPart(taskType: string, name: string, kind: ContractPartKind): ContractPartKind {
  assertName('part', name);
  if (!Object.hasOwn(partKinds, kind))
    throw new TypeError(
      `The part ${name} of ${taskType} is ${JSON.stringify(kind)}; it must be one of ${Object.keys(partKinds).join(', ')}.`,
    );
  return kind;
}

/** Why work may not open a part of that name and kind; undefined where it may. */
export function partFault({ taskType, parts }: ContractType, name: string, kind: string | undefined): string | undefined {
  if (!parts) return undefined;
  const known = parts.get(name);
  if (known === undefined)
    return `names no part of ${taskType}: ${parts.size > 0 ? `its parts are ${[...parts.keys()].join(', ')}` : 'it has no parts'}`;
  return kind === undefined || kind === known ? undefined : `is of the kind ${known} in ${taskType}, and not ${kind}`;
}

function readQuestion(taskType: string, name: string, definition: QuestionDefinition): ContractQuestion {
  const { actions, interaction, reasonCode = name, kind = 'USER_ACTION_REQUIRED', schemaVersion = 1 } = definition;
  const what = `question ${name} of ${taskType}`;
  assertName('question', name);
  if (name.includes(':')) throw new RangeError(`The ${what} has a ":" in its name; that is for keys, as in "${name.split(':')[0]}:2".`);
  const read = Object.entries(actions ?? {}).map(([type, schema]) => {
    assertName('action', type);
    return [type, readSchema(`action ${type} of the ${what}`, schema, 'input')] as const;
  });
  const { actionsMax, actionSchemasBytesMax } = contractLimits;
  if (read.length === 0 || read.length > actionsMax)
    throw new RangeError(`The ${what} has ${read.length} actions; it must have 1 to ${actionsMax}, or nobody could answer it.`);
  const made: ContractQuestion = {
    name,
    reasonCode,
    kind,
    schemaVersion,
    interaction: interaction === undefined ? undefined : readSchema(`interaction of the ${what}`, interaction, 'output'),
    actions: new Map(read),
  };
  const bytes = new TextEncoder().encode(JSON.stringify(actionSchemasOf(made))).byteLength;
  if (bytes > actionSchemasBytesMax)
    throw new RangeError(
      `The actions of the ${what} have JSON Schemas of ${bytes} bytes; they may have ${actionSchemasBytesMax}, since each question carries them.`,
    );
  return made;
}

function assertName(kind: string, name: string): void {
  const { nameCharactersMax } = contractLimits;
  if (name.trim() === '' || name.length > nameCharactersMax)
    throw new RangeError(`The ${kind} ${JSON.stringify(name)} must have a name of 1 to ${nameCharactersMax} characters.`);
}
