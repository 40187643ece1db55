import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { ReportIntent } from 'taskbridge/machines';
import type { Json, JsonObject } from 'taskbridge/wire';
import type { AcceptedAction, WorkReport, WorkReportOutcome, TaskExecutor, Work, WorkAttachment } from 'taskbridge/server';

/** What one task said over all its runs, and what it would find when it is run again. */
export interface TaskHistory {
  readonly taskId: string;
  readonly said: ReportIntent[];
  /** Reports that were committed. */
  commits: number;
  attempts: number;
  saved: Json | undefined;
  /** The files that it keeps, by name. */
  readonly attached: Map<string, Uint8Array>;
}

/** How one run goes. */
export interface RunScript {
  readonly csv: Uint8Array;
  readonly input?: JsonObject;
  /** The action that answers every question. */
  readonly answer?: string;
  /** Defaults to an empty one. */
  readonly payload?: JsonObject;
  /** The process dies instead of the report with this number (of this run) being committed. Defaults to never. */
  readonly diesAtReport?: number;
  /** Bytes of the attachment that are read at once. */
  readonly readBytes?: number;
}

/** A task that was never run. */
export function newHistory(taskId: string): TaskHistory {
  return { taskId, said: [], commits: 0, attempts: 0, saved: undefined, attached: new Map() };
}

/** Runs a task once, until it ends or dies; what it said and saved is in its history then. */
export async function runOnce(executor: TaskExecutor, history: TaskHistory, script: RunScript): Promise<'ended' | 'died'> {
  history.attempts += 1;
  const attempt = history.attempts;
  let resolve: (end: 'ended' | 'died') => void = () => {};
  const end = new Promise<'ended' | 'died'>((settle) => (resolve = settle));
  const action: AcceptedAction = {
    clientActionId: 'a-1',
    actionType: script.answer ?? 'keep-first',
    payload: script.payload ?? {},
    metadata: {},
    acceptedAt: '2025-06-01T00:00:00.000Z',
  };
  let dead = false;
  const answered = (suspendId: string) => ({ outcome: 'ANSWERED' as const, suspendId, action });
  const report = async ({ seq, intents, save }: WorkReport): Promise<WorkReportOutcome> => {
    await Promise.resolve();
    if (dead || seq === script.diesAtReport) {
      dead = true;
      resolve('died');
      return { status: 'fenced' };
    }
    history.commits += 1;
    if (save !== undefined) history.saved = JSON.parse(JSON.stringify(save)) as Json;
    const refusals = intents.map((intent) => {
      if (intent.type === 'report.started' && history.said.some(({ type }) => type === intent.type)) return undefined;
      if (intent.type === 'report.suspended') {
        const { suspendId } = intent.payload;
        if (history.said.some((earlier) => earlier.type === intent.type && earlier.payload.suspendId === suspendId)) return 'ALREADY_ASKED';
        queueMicrotask(() => void executor.resume({ taskId: history.taskId, attempt }, answered(suspendId)));
      }
      // This store keeps no parts, and its scripts write none.
      history.said.push(intent as ReportIntent);
      if (intent.type === 'report.completed' || intent.type === 'report.failed') resolve('ended');
      return undefined;
    });
    return { status: 'committed', refusals };
  };
  const work: Work = {
    taskId: history.taskId,
    taskType: 'report.build',
    owner: 'ada',
    clientRequestId: 'r-1',
    attempt,
    input: script.input ?? {},
    metadata: {},
    params: {},
    attachments: [attachmentOf(script)],
    saved: history.saved,
    report,
    async attach({ name, content }) {
      const bytes = await buffer(Readable.from(typeof content === 'string' || content instanceof Uint8Array ? [content] : content));
      return () => {
        if (!dead) history.attached.set(name, bytes);
        return Promise.resolve(dead ? 'fenced' : 'listed');
      };
    },
    resolution: (suspendId) => Promise.resolve(answered(suspendId)),
    now: () => 0,
  };
  await executor.start(work);
  return end;
}

function attachmentOf({ csv, readBytes = 65_536 }: RunScript): WorkAttachment {
  function* chunks() {
    for (let at = 0; at < csv.length; at += readBytes) yield csv.subarray(at, at + readBytes);
  }
  return {
    key: 'k/0',
    fieldName: 'attachment',
    fileName: 'orders.csv',
    contentType: 'text/csv',
    bytes: csv.length,
    sha256: '',
    open: () => Promise.resolve(Readable.from(chunks())),
  };
}
