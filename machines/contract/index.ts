/**
 * Types of tasks that host, workers and pages agree on: defined once, with schemas; what each side may give and gets follows from it. Pure. A page imports
 * types from here only, and the host's contract as a type.
 *
 * @packageDocumentation
 */
export {
  actionSchemasOf,
  contractLimits,
  contractQuestion,
  contractType,
  defineTasks,
  isTaskContract,
  partFault,
  question,
  questionOfReason,
  task,
  type ContractPartKind,
  type ContractQuestion,
  type ContractType,
  type QuestionDefinition,
  type TaskContract,
  type TaskDefinition,
  type TaskDefinitions,
} from './definitions.ts';
export type {
  ContractSchema,
  ReadSchema,
  SchemaInput,
  SchemaIssue,
  SchemaOutput,
  SchemaResult,
  StandardSchema,
} from './standard-schema.ts';
export type {
  ActionInput,
  ActionsOfType,
  ActionTypeOf,
  AnswerOf,
  AskedQuestion,
  DefinitionOf,
  OpenQuestion,
  PartName,
  QuestionKey,
  QuestionName,
  QuestionOf,
  SnapshotOf,
  StartInput,
  TaskResult,
  TaskTypeOf,
  TypesOf,
  WorkInput,
  WorkResult,
} from './types.ts';
export type { QuestionDescription, TaskTypeDescription, TaskTypesResponse } from '../wire/commands.ts';
export type { JsonLike } from '../wire/json.ts';
