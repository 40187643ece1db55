/** What one metric says. */
export interface Metric {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  /** Names of its tags. */
  readonly tags: readonly string[];
  /** When it is counted, in one sentence. */
  readonly meaning: string;
}

/**
 * Every metric that a `MetricsSink` is told of. Counters go up after the commit that they speak of, on the node that made it, and once
 * however often that commit was tried, its reply lost or not; so the sum over all nodes, reporters included, is true. `transport` is `ws`, `sse`
 * or `poll`, and `internal` for a stream inside the host's own process, as `bridge.tasks(auth).watch` gives it. Gauges but `streams_active` are set every
 * `metricsEveryMs` and when the bridge closes.
 */
export const metricsTable = {
  task_starts_total: {
    kind: 'counter',
    tags: [],
    meaning: 'A task was created. A repeated create is none; one that the executor then refused is.',
  },
  streams_active: {
    kind: 'gauge',
    tags: ['transport'],
    meaning: 'Streams of this process that are open now. A WebSocket counts once for each task that it shows; a poll is no stream.',
  },
  fallbacks_total: {
    kind: 'counter',
    tags: ['transport'],
    meaning:
      'A stream was opened or a poll answered whose client says that it came down from a higher transport. The tag is where it came to.',
  },
  replays_total: {
    kind: 'counter',
    tags: ['transport'],
    meaning: 'A stream or poll asked for what follows a cursor, and not for the whole log.',
  },
  duplicates_total: {
    kind: 'counter',
    tags: [],
    meaning: 'A create or an action was answered as a repeat of one that was taken before.',
  },
  cancels_total: {
    kind: 'counter',
    tags: [],
    meaning: "A caller's cancel was committed: once a task. Repeats, and cancels of tasks that had ended, are none.",
  },
  task_failures_total: {
    kind: 'counter',
    tags: [],
    meaning: 'A `TASK_FAILED` was committed, whatever made the task fail, a refused start included: once a task.',
  },
  actions_total: {
    kind: 'counter',
    tags: ['status'],
    meaning: 'An action was answered with this status: `ACCEPTED`, `DEDUPLICATED`, `REJECTED_ALREADY_RESOLVED` or `REJECTED_EXPIRED`.',
  },
  actions_accepted_total: {
    kind: 'counter',
    tags: [],
    meaning: 'A `TASK_ACTION_ACCEPTED` was committed: once a question.',
  },
  actions_resume_pending_total: {
    kind: 'counter',
    tags: [],
    meaning:
      'An accepted answer could not be handed to its work at once, and is left pending for the reconciler. One whose work runs on another node is none: that node hands it over.',
  },
  facts_total: {
    kind: 'counter',
    tags: ['type'],
    meaning: 'A fact of this type was committed.',
  },
  tasks_ended_total: {
    kind: 'counter',
    tags: ['task_type', 'state', 'code'],
    meaning: 'A task ended as `completed`, `failed` or `cancelled`; `code` is that of its failure, else empty.',
  },
  task_start_seconds: {
    kind: 'histogram',
    tags: ['task_type'],
    meaning: 'A `TASK_STARTED` was committed: how long after its create.',
  },
  task_end_seconds: {
    kind: 'histogram',
    tags: ['task_type', 'state'],
    meaning: 'A task ended: how long after its create, the time that people took included.',
  },
  attempts_total: {
    kind: 'counter',
    tags: ['task_type'],
    meaning: 'An attempt of a task was claimed: its first, and each one after that.',
  },
  attempts_lost_total: {
    kind: 'counter',
    tags: ['task_type', 'cause'],
    meaning:
      'An attempt was taken from whoever held it: `crashed` where its process was gone while it ran, `given_up` after a close, an abort or a lost history. Whoever claims it next takes over.',
  },
  run_seconds: {
    kind: 'histogram',
    tags: ['task_type'],
    meaning:
      "A run of a node's own executor was over: how long it went on here, the time that it waited for people included. One whose process is gone is told by nobody.",
  },
  question_seconds: {
    kind: 'histogram',
    tags: ['task_type', 'outcome'],
    meaning: 'A question was `ANSWERED`, `EXPIRED` or `CANCELLED` before its task ended: how long it was open.',
  },
  gaps_total: {
    kind: 'counter',
    tags: ['transport', 'reason'],
    meaning: 'A log could not be continued after a cursor: it was `trimmed`, or another history stands in its place (`reset`).',
  },
  delivery_lag_seconds: {
    kind: 'histogram',
    tags: ['transport'],
    meaning:
      "Facts were handed to connections that had all before them: how long after their commit, by the store's time. Once for the facts of one turn, however many viewers get them; a viewer that fell behind counts for itself, a replay not at all.",
  },
  viewers: {
    kind: 'gauge',
    tags: ['transport', 'phase'],
    meaning:
      'Streams of this process by where they stand: `level` with the log, `reading` it, `behind` what they were given, `retrying` after a failure of the store.',
  },
  polls_waiting: {
    kind: 'gauge',
    tags: [],
    meaning: 'Polls of this process that wait for a fact.',
  },
  unsent_bytes: {
    kind: 'gauge',
    tags: ['transport'],
    meaning: 'Bytes that streams of this process were given and the network has not taken.',
  },
  tasks_stored: {
    kind: 'gauge',
    tags: ['task_type', 'state'],
    meaning:
      'Tasks of the whole store, by where they stand. Counted every twelfth look, and the same from each process: take the highest, not the sum.',
  },
  tasks_held: {
    kind: 'gauge',
    tags: ['task_type', 'state'],
    meaning: "Tasks whose work runs in this process, by where they stand. Work that an outside system keeps is no process's.",
  },
  handoffs_pending: {
    kind: 'gauge',
    tags: [],
    meaning: 'Ends of questions that this process has still to hand to their work.',
  },
  share_used_ratio: {
    kind: 'gauge',
    tags: ['share'],
    meaning:
      'How much of a share (`active`, `waiting`, `questions`, `tasks`, `bytes`) the fullest owner has, of those that this process knows: at 1 he is refused. A share without a limit is not shown.',
  },
  event_loop_delay_seconds: {
    kind: 'gauge',
    tags: ['statistic'],
    meaning: 'How late timers of this process came since the last look: `mean` and `max`.',
  },
  part_flushes_total: {
    kind: 'counter',
    tags: ['outcome'],
    meaning:
      'The store answered a flush of the text of a part: `written`, `fenced` where another run or the end of the task has closed it, `behind` where the store has lost its end, `failed` where it did not answer; then it is flushed again.',
  },
  part_bytes_total: {
    kind: 'counter',
    tags: [],
    meaning: 'Bytes of parts that the store has taken.',
  },
  part_unsent_bytes: {
    kind: 'gauge',
    tags: [],
    meaning:
      'Bytes of parts that this process has given to the store, which has not answered. What a writer holds back meanwhile is not among them.',
  },
  store_write_seconds: {
    kind: 'histogram',
    tags: ['write', 'outcome'],
    meaning:
      'The store answered an `append`, a `create` or a `remove`: `written`, `refused` where somebody else had written meanwhile (a conflict), `failed` where it did not take it or did not answer.',
  },
} as const satisfies Readonly<Record<string, Metric>>;

/** The name of a metric. */
export type MetricName = keyof typeof metricsTable;
