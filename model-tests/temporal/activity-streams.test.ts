import { Client, Connection } from '@temporalio/client';
import { createTaskBridgeClient, type TaskBridgeClient } from 'taskbridge/client/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { PartFrame } from '../../machines/parts/index.ts';
import { isTerminalType, parseEventId, type Fact } from '../../machines/wire/index.ts';
import { PartReader } from '../law/part-reader.ts';
import { patience } from '../support/patience.ts';
import { startTemporalProcesses, type TemporalProcesses } from './temporal-processes.ts';
import { answerOf, MARK, thoughtOf } from './told-words.ts';

const WORDS = 250;
/** Its activity is taken for dead when nothing was heard of it for so long. */
const HEARTBEAT_MS = patience(3000);
/** So many bytes of an answer are shown before its worker is killed. */
const KILLED_AT = 1000;

let processes: TemporalProcesses;
let client: TaskBridgeClient;

beforeAll(async () => {
  processes = await startTemporalProcesses();
  client = createTaskBridgeClient({ baseUrl: processes.baseUrl });
}, patience(120_000));

afterAll(async () => {
  await client?.close();
  await processes?.close();
});

/** What a viewer was shown of a task, from before its work began to its end. */
interface Viewing {
  readonly taskId: string;
  readonly facts: readonly Fact[];
  readonly frames: readonly PartFrame[];
  /** The rules that were broken. */
  readonly broken: readonly string[];
}

/** A task whose activity tells, seen through a WebSocket that asked for parts; `onFrame` hears what was shown by then. */
async function told(lastTry: number, onFrame: (shown: readonly PartFrame[]) => void = () => undefined): Promise<Viewing> {
  const { taskId } = await client.start({ taskType: 'told', input: { words: WORDS, lastTry, heartbeatMs: HEARTBEAT_MS } });
  const reader = new PartReader();
  const facts: Fact[] = [];
  const frames: PartFrame[] = [];
  const socket = new WebSocket(`${processes.baseUrl.replace('http', 'ws')}/api/v1/tasks/ws?extensions=parts`);
  await new Promise<void>((resolve, reject) => {
    socket.on('open', () => socket.send(JSON.stringify({ action: 'subscribe', taskId, lastEventId: null })));
    socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as Fact | PartFrame;
      if (frame.type !== 'PART' && !frame.type.startsWith('TASK_')) return;
      reader.take(frame);
      if (frame.type === 'PART') onFrame((frames.push(frame), frames));
      else facts.push(frame);
      if (frame.type !== 'PART' && isTerminalType(frame.type)) resolve();
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('The socket was closed before the task had ended.')));
  }).finally(() => socket.terminate());
  return { taskId, facts, frames, broken: reader.broken };
}

/** The parts of a name in the order in which they were opened: how they were closed, and with what text. */
function closedParts(facts: readonly Fact[], name: string) {
  const closings = facts.flatMap(({ type, payload }) => (type === 'TASK_PART_CLOSED' ? [payload] : []));
  return facts.flatMap(({ type, eventId, payload }) => {
    if (type !== 'TASK_PART_OPENED' || payload.name !== name) return [];
    const part = parseEventId(eventId)?.n ?? 0;
    const [closing, ...more] = closings.filter((each) => each.part === part);
    expect(more).toEqual([]);
    return [{ part, outcome: closing?.outcome, text: closing?.text ?? '' }];
  });
}

/** All that the history of a task's workflow holds, as text. */
async function historyOf(taskId: string): Promise<string> {
  const connection = await Connection.connect({ address: processes.temporal.address });
  try {
    const history = await new Client({ connection }).workflow.getHandle(`taskbridge:${taskId}`).fetchHistory();
    // A payload is bytes, which JSON has in base64.
    return JSON.stringify(history, (key, value: unknown) =>
      key === 'data' && typeof value === 'string' ? Buffer.from(value, 'base64').toString('utf8') : value,
    );
  } finally {
    await connection.close();
  }
}

const bytesOf = (frames: readonly PartFrame[], part: number): number => frames.findLast((frame) => frame.part === part)?.to ?? 0;

describe('the text of an activity', { timeout: patience(120_000) }, () => {
  it('is shown as it comes, is closed whole, and is in no history', async () => {
    const { taskId, facts, frames, broken } = await told(1);
    expect(broken).toEqual([]);
    const [answer, ...others] = closedParts(facts, 'answer');
    expect(others).toEqual([]);
    expect(answer).toEqual({ part: answer?.part, outcome: 'DONE', text: answerOf(1, WORDS) });
    expect(closedParts(facts, 'thoughts')).toMatchObject([{ outcome: 'DONE', text: thoughtOf(1) }]);
    const shown = frames.filter(({ part }) => part === answer?.part);
    expect(shown.length).toBeGreaterThan(5);
    expect(answerOf(1, WORDS).startsWith(shown.map(({ text }) => text).join(''))).toBe(true);
    expect(facts.at(-1)).toMatchObject({ type: 'TASK_COMPLETED', payload: { result: `told ${WORDS} words` } });
    const history = await historyOf(taskId);
    // It has what the activity returned, and would have its text if it had been told of any.
    expect(history).toContain(`told ${WORDS} words`);
    expect(history).not.toContain(MARK);
  });

  it('is left as it is where its worker is killed in mid-sentence; the next try tells all of it', async () => {
    let restarted: Promise<void> | undefined;
    const { taskId, facts, frames, broken } = await told(2, (shown) => {
      const last = shown.at(-1);
      if (last && bytesOf(shown, last.part) >= KILLED_AT) restarted ??= processes.worker.kill().then(() => processes.worker.restart());
    });
    await restarted;
    expect(restarted).toBeDefined();
    expect(broken).toEqual([]);
    for (const name of ['thoughts', 'answer']) {
      const tries = closedParts(facts, name).map(({ outcome }) => outcome);
      expect(tries).toEqual(['ABANDONED', 'DONE']);
    }
    expect(closedParts(facts, 'thoughts').map(({ text }) => text)).toEqual([thoughtOf(1), thoughtOf(2)]);
    const [left, whole] = closedParts(facts, 'answer');
    expect(whole?.text).toBe(answerOf(2, WORDS));
    // No word of the next try is in it, and what was shown of it is.
    expect(answerOf(1, left?.text.length ?? 0).startsWith(left?.text ?? '?')).toBe(true);
    expect(Buffer.byteLength(left?.text ?? '')).toBeGreaterThanOrEqual(bytesOf(frames, left?.part ?? 0));
    expect(bytesOf(frames, left?.part ?? 0)).toBeGreaterThanOrEqual(KILLED_AT);
    // What was left is closed before the next try opens anything.
    const types = facts.map(({ type }) => type.replace('TASK_', ''));
    expect(types.filter((type) => type.startsWith('PART'))).toEqual([
      ...['PART_OPENED', 'PART_OPENED', 'PART_CLOSED', 'PART_CLOSED'],
      ...['PART_OPENED', 'PART_OPENED', 'PART_CLOSED', 'PART_CLOSED'],
    ]);
    const history = await historyOf(taskId);
    expect(history).toContain(`told ${WORDS} words`);
    expect(history).not.toContain(MARK);
  });
});
