import type { Work } from '../../server/ports/index.ts';
import type { Task } from './handler.ts';

/** What a handler has when it asks for it: parsed, or made, at that moment. */
export type AskedFor = Pick<Task, 'input' | 'metadata' | 'attachments' | 'saved' | 'signal'>;

/** Where it comes from. */
interface Source {
  readonly work: Work;
  signal(): AbortSignal;
}

const source = Symbol('source');
/** Made once for all tasks: an object with getters of its own costs V8 two kilobytes, as long as the task waits. */
const accessors = {
  input: {
    enumerable: true,
    get() {
      return this[source].work.input;
    },
  },
  metadata: {
    enumerable: true,
    get() {
      return this[source].work.metadata;
    },
  },
  attachments: {
    enumerable: true,
    get() {
      return this[source].work.attachments;
    },
  },
  saved: {
    enumerable: true,
    get() {
      return this[source].work.saved;
    },
  },
  signal: {
    enumerable: true,
    get() {
      return this[source].signal();
    },
  },
} satisfies Record<keyof AskedFor, PropertyDescriptor> & ThisType<{ readonly [source]: Source }>;

/** The task of a handler. A copy of it has what it is asked for at that moment. */
export function withAskedFor(task: Omit<Task, keyof AskedFor>, work: Work, signal: () => AbortSignal): Task {
  Object.defineProperty(task, source, { value: { work, signal } satisfies Source });
  return Object.defineProperties(task, accessors) as Task;
}
