/** Where a record comes from: a request, a stream, or the server itself. */
export type RecordSource = 'http' | 'ws' | 'internal';

/** What a record may say. Ids and words of closed sets only: nothing that people wrote, and nothing of payloads, is ever in one. */
export interface RecordFields {
  readonly taskId?: string;
  /** The fact that it is about; of a read, the last one that was given. */
  readonly eventId?: string;
  readonly clientRequestId?: string;
  /** The subject of the caller; inside the server, the task's owner. */
  readonly userId?: string;
  readonly transport?: RecordSource;
  /** What came of it: see the table. */
  readonly outcome?: string;
}

/** What one message of the log means. */
export interface RecordMeaning {
  /** `debug` where it is written for every fact, heartbeat or read. */
  readonly level: 'info' | 'debug';
  readonly fields: readonly (keyof RecordFields)[];
  /** When it is written, and what its `outcome` says. */
  readonly meaning: string;
}

/** Every structured record that a logger with `info` and `debug` is given, by its message. */
export const recordsTable = {
  'http.task.create': {
    level: 'info',
    fields: ['taskId', 'clientRequestId', 'userId', 'transport', 'outcome'],
    meaning: 'A create was answered: `created`, `duplicate`, or the code of its error.',
  },
  'http.task.poll': {
    level: 'debug',
    fields: ['taskId', 'eventId', 'userId', 'transport', 'outcome'],
    meaning:
      'A poll was answered: `facts`, `text` of open parts, `empty`, `ended`, `gone` (nobody waited any more), or the code of its error.',
  },
  'http.task.cancel': {
    level: 'info',
    fields: ['taskId', 'userId', 'transport', 'outcome'],
    meaning: 'A cancel was answered: its status, or the code of its error.',
  },
  'http.task.action': {
    level: 'info',
    fields: ['taskId', 'userId', 'transport', 'outcome'],
    meaning: 'An action was answered: its status, or the code of its error.',
  },
  'task.removed': {
    level: 'info',
    fields: ['taskId', 'clientRequestId', 'userId', 'transport'],
    meaning: 'A task that had ended was removed by its owner or the host, with its files.',
  },
  'ws.subscription.confirmed': {
    level: 'info',
    fields: ['taskId', 'eventId', 'userId', 'transport'],
    meaning: 'A WebSocket was told that it shows a task, from after `eventId` on.',
  },
  'ws.heartbeat.sent': {
    level: 'debug',
    fields: ['taskId', 'userId', 'transport'],
    meaning: 'A WebSocket that had nothing to show was kept warm.',
  },
  'task.create.accepted': {
    level: 'info',
    fields: ['taskId', 'clientRequestId', 'userId', 'transport', 'outcome'],
    meaning: 'A task was created, and its status is the outcome.',
  },
  'task.create.denied': {
    level: 'info',
    fields: ['clientRequestId', 'userId', 'transport', 'outcome'],
    meaning: 'A create was refused by a policy, or because its request id was used for another: the code of its error.',
  },
  'task.create.duplicate': {
    level: 'info',
    fields: ['taskId', 'clientRequestId', 'userId', 'transport', 'outcome'],
    meaning: 'A create was the repeat of one that was taken before; the status of its task is the outcome.',
  },
  'task.create.submit_failed': {
    level: 'info',
    fields: ['taskId', 'clientRequestId', 'userId', 'transport', 'outcome'],
    meaning: 'A task was created, and its executor refused it: the code of its error.',
  },
  'task.events.polled': {
    level: 'debug',
    fields: ['taskId', 'eventId', 'userId', 'transport', 'outcome'],
    meaning: 'The log of a task was read for a poll: `facts`, `text` of open parts, `empty` or `ended`.',
  },
  'task.cancel.requested': {
    level: 'info',
    fields: ['taskId', 'userId', 'transport', 'outcome'],
    meaning: 'A caller wants a task to stop; the status of the answer is the outcome.',
  },
  'task.cancel.skipped_terminal': {
    level: 'info',
    fields: ['taskId', 'userId', 'transport', 'outcome'],
    meaning: 'The same for a task that had ended, so that nothing was done.',
  },
  'task.ws.subscription_prepared': {
    level: 'debug',
    fields: ['taskId', 'eventId', 'userId', 'transport'],
    meaning: 'A WebSocket may see a task, and there is room for it; its replay begins after `eventId`.',
  },
  'task.event.appended': {
    level: 'debug',
    fields: ['taskId', 'eventId', 'clientRequestId', 'userId', 'transport', 'outcome'],
    meaning: 'A fact was committed; its type is the outcome.',
  },
  'task.resume.reconciled': {
    level: 'info',
    fields: ['taskId', 'clientRequestId', 'userId', 'transport', 'outcome'],
    meaning: 'How a question ended was handed to the work: `ANSWERED`, `EXPIRED` or `CANCELLED`.',
  },
  'task.retention.pruned': {
    level: 'info',
    fields: ['taskId', 'clientRequestId', 'userId', 'transport'],
    meaning: 'A task whose time after its end was over was removed, with its files.',
  },
} as const satisfies Readonly<Record<string, RecordMeaning>>;

/** The message of a record. */
export type RecordName = keyof typeof recordsTable;
