import type { TaskInput } from 'taskbridge/adapters/temporal';
import { textOfNotice } from '../../server/live/notices.ts';
import { storeAbout, type TaskAbout } from '../../server/task/about.ts';
import { storeAttachments } from '../../server/task/stored-attachments.ts';
import { checkpointTexts, outboxTexts, tabTexts } from './client-forms.ts';
import {
  backfillTexts,
  wholeAbout,
  folderMark,
  headsWithParts,
  keysOfRedis,
  ownerOfLmdb,
  rowsOfLmdb,
  storeIds,
  textsOfServer,
  type StoredText,
} from './server-forms.ts';

/** Something that outlives the code that wrote it, or goes between two versions of it. */
export interface Form {
  /** Also that of its golden files. */
  readonly name: string;
  /** The constant with its version, which stands as `v` in what is written; null where it has none yet. */
  readonly version: string | null;
  /** Where else a version of it stands. */
  readonly versionElsewhere?: string;
  /** Where it is written. */
  readonly writtenIn: string;
  /** What today's code writes of the scenario. */
  lines(): Promise<readonly string[]>;
}

/** The forms of what the server gives its store, by the names that the port sees. Every name has exactly one. */
export const storeForms = [
  { name: 'task-head', version: 'STORED_VERSION', writtenIn: 'machines/aggregate/stored.ts', names: /^task$/, part: 'field' },
  { name: 'suspension', version: 'STORED_VERSION', writtenIn: 'machines/aggregate/stored.ts', names: /^s:/, part: 'field' },
  {
    name: 'ledger',
    version: 'EXECUTION_RECORD_VERSION',
    writtenIn: 'server/attempt/execution-record.ts',
    names: /^ledger$/,
    part: 'field',
  },
  { name: 'sources', version: null, writtenIn: 'server/attempt/execution-record.ts', names: /^sources$/, part: 'field' },
  { name: 'about', version: null, writtenIn: 'server/task/create-task.ts', names: /^about$/, part: 'field' },
  { name: 'content', version: null, writtenIn: 'server/attempt/work.ts', names: /^content$/, part: 'kept' },
  { name: 'saved', version: null, writtenIn: 'server/attempt/work.ts', names: /^saved$/, part: 'kept' },
  { name: 'question', version: 'QUESTION_VERSION', writtenIn: 'server/task/stored-question.ts', names: /^q:/, part: 'kept' },
  { name: 'answer', version: null, writtenIn: 'server/task/submit-action.ts', names: /^a:/, part: 'kept' },
  { name: 'receipt', version: null, writtenIn: 'server/task/submit-action.ts', names: /^r:/, part: 'kept' },
] as const;

let told: Promise<readonly StoredText[]> | undefined;
let toldToRedis: ReturnType<typeof keysOfRedis> | undefined;
/** What the server gives its store; the scenario is told once. */
export const storedTexts = (): Promise<readonly StoredText[]> => (told ??= textsOfServer());
const redisTexts = () => (toldToRedis ??= keysOfRedis());

/** Held by its type: another shape does not compile. */
const workflowInput: TaskInput = {
  taskId: 'e0555555555555555555555555555555',
  attempt: 1,
  taskType: 'story',
  owner: 'alice',
  clientRequestId: 'story',
  input: { pages: 2 },
  metadata: {},
  attachments: [],
};

const withParams: TaskInput = { ...workflowInput, params: { projectId: '7' } };

const tracedAbout: TaskAbout = {
  taskId: 'e0555555555555555555555555555555',
  taskType: 'story',
  clientRequestId: 'story',
  owner: 'alice',
  trace: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', tracestate: 'vendor=1' },
  contentHash: 'a'.repeat(64),
  requestKey: 'b'.repeat(64),
  createdAt: 1_800_000_000_000,
};

/** Every form that has a golden text. */
export const forms: readonly Form[] = [
  ...storeForms.map(({ names, part, ...form }) => ({
    ...form,
    lines: async () =>
      (await storedTexts())
        .filter((stored) => stored.part === part && names.test(stored.name))
        .map(({ moment, name, text }) => `${moment} ${name} ${text}`),
  })),
  // Only a task that has opened a part is written so.
  {
    name: 'task-head',
    version: 'STORED_VERSION',
    writtenIn: 'machines/aggregate/stored.ts',
    lines: async () => headsWithParts(await storedTexts()),
  },
  // Only a task with one of those that may be left out is written so.
  { name: 'about', version: 'ABOUT_VERSION', writtenIn: 'server/task/about.ts', lines: wholeAbout },
  // Nobody who passes its trace over loses anything: it raises no version.
  { name: 'about-trace', version: null, writtenIn: 'server/task/about.ts', lines: async () => [storeAbout(tracedAbout)] },
  { name: 'lmdb-layout', version: 'LMDB_LAYOUT_VERSION', writtenIn: 'adapters/lmdb/layout.ts, keys.ts and head.ts', lines: rowsOfLmdb },
  { name: 'lmdb-owner', version: 'OWNER_VERSION', writtenIn: 'adapters/lmdb/process.ts', lines: ownerOfLmdb },
  {
    name: 'redis-layout',
    version: 'REDIS_LAYOUT_VERSION',
    writtenIn: 'adapters/redis/identity.ts, keys.ts and heads.ts',
    lines: async () => (await redisTexts()).keys,
  },
  {
    name: 'redis-identity',
    version: null,
    writtenIn: 'adapters/redis/identity.ts',
    lines: async () => (await redisTexts()).identity,
  },
  {
    name: 'redis-messages',
    version: null,
    writtenIn: 'adapters/redis/scripts/append.ts',
    lines: async () => (await redisTexts()).messages,
  },
  {
    name: 'notice',
    version: 'NOTICE_VERSION',
    writtenIn: 'server/live/notices.ts',
    lines: async () => [textOfNotice({ from: '0123456789abcdef', disconnect: { subject: 'alice' } })],
  },
  { name: 'store-id', version: null, writtenIn: 'adapters/lmdb/keys.ts and adapters/redis/keys.ts', lines: storeIds },
  { name: 'backfill', version: 'BACKFILL_VERSION', writtenIn: 'server/lists/backfill.ts', lines: backfillTexts },
  { name: 'folder-mark', version: 'FOLDER_MARK_VERSION', writtenIn: 'adapters/file/folder-mark.ts', lines: folderMark },
  {
    name: 'attachments',
    version: 'ATTACHMENTS_VERSION',
    writtenIn: 'server/task/stored-attachments.ts',
    lines: async () => [
      storeAttachments([{ key: `${'5'.repeat(32)}/1000`, name: 'rows.csv', contentType: 'text/csv', bytes: 3, sha256: 'a'.repeat(64) }]),
    ],
  },
  { name: 'workflow-input', version: null, writtenIn: 'adapters/temporal/contract.ts', lines: async () => [JSON.stringify(workflowInput)] },
  {
    name: 'workflow-input-params',
    version: null,
    writtenIn: 'adapters/temporal/contract.ts',
    lines: async () => [JSON.stringify(withParams)],
  },
  { name: 'checkpoint', version: 'CHECKPOINT_VERSION', writtenIn: 'client/checkpoints/checkpoint.ts', lines: checkpointTexts },
  { name: 'outbox-entry', version: 'ENTRY_VERSION', writtenIn: 'client/outbox/entry.ts', lines: outboxTexts },
  {
    name: 'tab-messages',
    version: null,
    versionElsewhere: 'the name of the channel, in client/tabs/tab-sockets.ts',
    writtenIn: 'client/tabs/messages.ts',
    lines: async () => tabTexts(),
  },
];

/** The version that stands in the lines of a form, in one of them at least. Throws where none has one, or they do not all say the same. */
export function versionIn(lines: readonly string[]): number {
  const found = new Set(lines.flatMap((line) => /\{"v":(\d+)/.exec(line)?.[1] ?? []).map(Number));
  const [version] = found;
  if (found.size !== 1 || version === undefined)
    throw new Error(`One version was expected in ${lines.length} lines, there are: ${[...found].join(', ')}.`);
  return version;
}
