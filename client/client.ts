import type { TaskContract } from '../machines/contract/index.ts';
import { abortWith } from './abort.ts';
import { createCredentials, type CallContext } from './auth/credentials.ts';
import { checkpointKey } from './checkpoints/checkpoint.ts';
import { createCheckpointTracker } from './checkpoints/checkpoint-tracker.ts';
import { patientStore } from './checkpoints/patient-store.ts';
import { createCommands, type CommandOptions, type Commands } from './commands/commands.ts';
import { createHttpClient } from './commands/http-client.ts';
import type { ContractClient } from './contract/index.ts';
import { closed } from './errors.ts';
import { refuseUnknown } from './known-options.ts';
import { createAnsweredQuestions } from './observation/answered-questions.ts';
import { createSharedConnections } from './observation/shared-connections.ts';
import { createObservation, type Observation, type ObserveOptions } from './observation/observation.ts';
import { readOptions, type TaskBridgeClientOptions } from './options.ts';
import { assertTaskId, join } from './routes.ts';
import type { SocketPort } from './transports/socket.ts';

/** Starts tasks, watches them, answers their questions. */
export interface TaskBridgeClient extends Commands {
  /**
   * Watches one task. Connects at once; begins at `lastEventId`, else at the stored checkpoint, else at the start. Throws with code
   * `INVALID_ARGUMENT` for an impossible task id, and for what is no option, by its name; `CLOSED` after `close()`.
   */
  observe(taskId: string, options?: ObserveOptions): Observation;
  /**
   * The address of a file that a task's work has made: for a link, where cookies are the credentials, or for a `fetch` that brings its own. Throws with code
   * `INVALID_ARGUMENT` for an impossible task id or name.
   */
  attachmentUrl(taskId: string, name: string, context?: CallContext): string;
  /** Closes every observation, aborts every command, frees timers, sockets and listeners; resolves when the checkpoints are written. */
  close(): Promise<void>;
}

/**
 * Makes a client; one with the types of a contract where that is named: `createTaskBridgeClient<typeof tasks>({ … })`. Throws with code
 * `INVALID_ARGUMENT` where an option cannot be right, and says which and why.
 */
export function createTaskBridgeClient(options: TaskBridgeClientOptions): TaskBridgeClient;
export function createTaskBridgeClient<C extends TaskContract>(options: TaskBridgeClientOptions): ContractClient<C>;
// Once more: the last is what `ReturnType` sees.
export function createTaskBridgeClient(options: TaskBridgeClientOptions): TaskBridgeClient;
export function createTaskBridgeClient(options: TaskBridgeClientOptions): TaskBridgeClient {
  return createClient(options);
}

/** The same on a platform with sockets of its own. */
export function createClient(options: TaskBridgeClientOptions, ownSockets?: SocketPort): TaskBridgeClient {
  const settings = readOptions(options, ownSockets);
  const life = new AbortController();
  const credentialsOf = createCredentials(settings);
  const store = options.checkpoints ? patientStore(options.checkpoints, settings.clock, life.signal) : settings.checkpoints;
  const { checkpointNamespace, baseUrl, hideAnswered, onReport } = settings;
  const answered = hideAnswered
    ? createAnsweredQuestions({
        store,
        keyOf: (taskId) => checkpointKey(checkpointNamespace, baseUrl, `${taskId}|suspend-ack`),
        onFault: (taskId, cause) => onReport({ type: 'checkpoint', taskId, reason: 'Answers could not be kept.', cause }),
      })
    : undefined;
  const checkpoints = createCheckpointTracker(store, onReport);
  const commands = createCommands(settings, createHttpClient(settings, credentialsOf, life.signal), answered?.note);
  const connections = createSharedConnections({ settings, credentialsOf, commands, answered });
  const observations = new Set<Observation>();
  /** The options of a call, of which one may have an own name. */
  const inContext = <O extends CommandOptions>(given?: O, own?: Exclude<keyof O, keyof CommandOptions> & string): O | undefined => {
    refuseUnknown(given ?? {}, { signal: 1, context: 1, ...(own && { [own]: 1 }) });
    return settings.context && given?.context === undefined ? ({ ...given, context: settings.context } as O) : given;
  };

  return {
    start: async (request, given) => commands.start(request, inContext(given, 'onUpload')),
    retry: async (taskId, request, given) => commands.retry(taskId, request, inContext(given)),
    act: async (taskId, request, given) => commands.act(taskId, request, inContext(given)),
    cancel: async (taskId, reason, given) => commands.cancel(taskId, reason, inContext(given)),
    async remove(taskId, given) {
      await commands.remove(taskId, inContext(given));
      checkpoints.forget({ taskId }, checkpointKey(checkpointNamespace, baseUrl, taskId));
      answered?.ended(taskId);
    },
    get: async (taskId, given) => commands.get(taskId, inContext(given)),
    list: async (query, given) => commands.list(query, inContext(given)),
    observe(taskId, given) {
      assertTaskId(taskId);
      if (life.signal.aborted) throw closed('client');
      return createObservation(taskId, inContext(given, 'lastEventId') ?? {}, {
        settings,
        checkpoints,
        answered,
        connections,
        commands,
        observations,
      });
    },
    attachmentUrl(taskId, name, context = settings.context) {
      assertTaskId(taskId);
      return join(baseUrl, settings.routes.attachment(taskId, name, context));
    },
    async close() {
      abortWith(life, closed('client'));
      for (const observation of observations) observation.close();
      await Promise.all([checkpoints.flush(), answered?.flush()]);
    },
  };
}
