import type { FactPayload, Json, JsonObject, TaskSnapshotResponse } from '../wire/index.ts';
import type { QuestionDefinition, TaskContract } from './definitions.ts';
import type { SchemaInput, SchemaOutput } from './standard-schema.ts';

/** The types of a contract, by their names. */
export type TypesOf<C> = C extends TaskContract<infer T> ? T : never;
/** The names of the types of a contract. */
export type TaskTypeOf<C> = Extract<keyof TypesOf<C>, string>;
/** One type of a contract. */
export type DefinitionOf<C, K extends TaskTypeOf<C>> = TypesOf<C>[K];

/** What a task is started with. */
export type StartInput<D> = D extends { readonly input: infer S } ? SchemaInput<S> : JsonObject;
/** What its work is given: the input as its schema made it. */
export type WorkInput<D> = D extends { readonly input: infer S } ? SchemaOutput<S> : JsonObject;
/** What its work may return. */
export type WorkResult<D> = D extends { readonly result: infer S } ? SchemaInput<S> : Json | void;
/** What it completes with: what was returned, as its schema made it. */
export type TaskResult<D> = D extends { readonly result: infer S } ? SchemaOutput<S> : Json;

type QuestionsOf<D> = D extends { readonly questions: infer Q extends Readonly<Record<string, QuestionDefinition>> }
  ? Q
  : Record<never, never>;
/** The names of the questions of a type. */
export type QuestionName<D> = Extract<keyof QuestionsOf<D>, string>;
/** What work asks under: the name of a question, or that of one of several, `duplicates:2`. */
export type QuestionKey<D> = QuestionName<D> | `${QuestionName<D>}:${string}`;
/** The question of a key. */
export type QuestionOf<D, K extends string> = K extends `${infer N}:${string}`
  ? QuestionsOf<D>[N & QuestionName<D>]
  : QuestionsOf<D>[K & QuestionName<D>];

/** The types of action of a question. */
export type ActionTypeOf<Q> = Q extends { readonly actions: infer A } ? Extract<keyof A, string> : never;
type ActionOf<Q, A> = Q extends { readonly actions: infer Actions } ? Actions[A & keyof Actions] : never;
type Shown<Q> = Q extends { readonly interaction: infer S }
  ? { readonly interaction: SchemaInput<S> }
  : { readonly interaction?: JsonObject };
type ReasonOf<Q, N> = Q extends { readonly reasonCode: infer R extends string } ? R : N;

/** What work says when it asks: what is shown, and of the rest what is not as the contract has it. */
export type AskedQuestion<Q, A extends ActionTypeOf<Q> = ActionTypeOf<Q>> = Shown<Q> & {
  /** Defaults to all actions of the question. */
  readonly allowedActions?: readonly A[];
  /** Counted from when it is asked. Defaults to no deadline. */
  readonly expiresInMs?: number;
  readonly uiHints?: JsonObject;
};

/** How a question was answered: `actionType` tells the payloads apart. */
export type AnswerOf<Q, A extends ActionTypeOf<Q> = ActionTypeOf<Q>> = {
  readonly [T in A]: {
    readonly actionType: T;
    readonly payload: SchemaOutput<ActionOf<Q, T>>;
    readonly clientActionId: string;
    readonly metadata: JsonObject;
    /** RFC 3339, UTC. */
    readonly acceptedAt: string;
  };
}[A];

/** What a page answers. */
export type ActionInput<Q> = {
  readonly [T in ActionTypeOf<Q>]: { readonly actionType: T } & PayloadOf<SchemaInput<ActionOf<Q, T>>>;
}[ActionTypeOf<Q>];
/** A payload that may be empty may be left out. */
type PayloadOf<P> = Record<never, never> extends P ? { readonly payload?: P } : { readonly payload: P };

/** An open question as a page reads it: `reasonCode` tells those of a type apart. */
export type OpenQuestion<D> = {
  readonly [N in QuestionName<D>]: OpenQuestionNamed<QuestionsOf<D>[N], N>;
}[QuestionName<D>];
type OpenQuestionNamed<Q, N extends string> = Omit<FactPayload<'TASK_SUSPENDED'>, 'reasonCode' | 'allowedActions' | 'interaction'> & {
  readonly reasonCode: ReasonOf<Q, N>;
  readonly allowedActions: readonly ActionTypeOf<Q>[];
  readonly interaction: (Q extends { readonly interaction: infer S } ? SchemaOutput<S> : JsonObject) & ActionForms<Q>;
};
/** What a generic page draws forms by. */
interface ActionForms<Q> {
  /** The JSON Schemas of the payloads of the allowed actions. */
  readonly $actions: { readonly [T in ActionTypeOf<Q>]?: JsonObject };
}
/** What a page may answer the questions of a type. */
export type ActionsOfType<D> = { readonly [N in QuestionName<D>]: ActionInput<QuestionsOf<D>[N]> }[QuestionName<D>];

/** The names of the parts of a type; any, where its definition names none. */
export type PartName<D> = D extends { readonly parts: infer P } ? Extract<keyof P, string> : string;

/** A task of a type as its snapshot has it. */
export type SnapshotOf<D> = Omit<TaskSnapshotResponse, 'input' | 'result' | 'suspensions'> & {
  readonly input?: WorkInput<D>;
  readonly result?: TaskResult<D>;
  readonly suspensions: readonly OpenQuestion<D>[];
};
