import type { Commands } from '../commands/commands.ts';
import { TaskBridgeClientError } from '../errors.ts';
import { findStart, isPending, type OutboxEntry, type OutboxRefusal, type OutboxResponse } from './entry.ts';
import { isPassing } from './errors.ts';
import type { OutboxSettings } from './options.ts';
import type { OutboxTurn } from './outbox.machine.ts';
import type { OutboxRepository } from './outbox-repository.ts';

/** Sends commands, each by the client's own call. */
export interface Sender {
  /**
   * Sends the oldest command that waits and notes what became of it. It is noted as sent before it is, and kept until the answer is noted: a
   * crash between any two of these steps sends it again, with the same id. Rejects with code `OUTBOX_STORE_FAILED`.
   */
  sendNext(signal: AbortSignal): Promise<OutboxTurn>;
  /** Gives up what is too old: all of it, or only what was never sent. */
  expire(which: 'all' | 'unsent'): Promise<void>;
  /** Milliseconds until the next command that was never sent is too old; undefined where none waits. */
  nextExpiryMs(): number | undefined;
}

/** What becomes of one that is sent. */
type Answer =
  | { readonly type: 'answered'; readonly response: OutboxResponse }
  | { readonly type: 'refused'; readonly refusal: OutboxRefusal }
  | { readonly type: 'failed'; readonly error: TaskBridgeClientError };

/** Sends what is in a repository. */
export function createSender(
  client: Pick<Commands, 'start' | 'act' | 'cancel'>,
  repository: OutboxRepository,
  settings: OutboxSettings,
): Sender {
  const { clock, limits } = settings;
  const isOld = ({ addedAt }: OutboxEntry): boolean => clock.now() - addedAt >= limits.ageMsMax;

  async function expire(which: 'all' | 'unsent'): Promise<void> {
    for (const entry of repository.entries) {
      if (!isPending(entry) || !isOld(entry) || (which === 'unsent' && entry.wasSent)) continue;
      const message = `It waited longer than ${limits.ageMsMax} ms. Make it again if it is still wanted.`;
      await repository.move(entry.id, { type: 'entry.aged' }, { refusal: { code: 'OUTBOX_EXPIRED', message, details: {} } });
    }
  }

  async function sendNext(signal: AbortSignal): Promise<OutboxTurn> {
    await repository.refresh();
    await expire('all');
    const entry = repository.entries.find(isPending);
    if (!entry) return { outcome: 'nothing' };
    const taskId = taskIdOf(repository.entries, entry);
    if (typeof taskId === 'object') return note(entry, { type: 'refused', refusal: taskId });
    if (signal.aborted) return { outcome: 'settled' };
    // Taken back meanwhile.
    if (entry.state === 'queued' && !(await repository.move(entry.id, { type: 'entry.sent' }))) return { outcome: 'settled' };
    return note(entry, await send(client, entry, taskId, signal));
  }

  async function note(entry: OutboxEntry, answer: Answer): Promise<OutboxTurn> {
    if (answer.type === 'failed') return { outcome: 'failed', error: answer.error, retryAfterMs: answer.error.retryAfterMs ?? 0 };
    if (answer.type === 'answered') await repository.move(entry.id, { type: 'entry.answered' }, { response: answer.response });
    else await repository.move(entry.id, { type: 'entry.refused' }, { refusal: answer.refusal });
    return { outcome: 'settled' };
  }

  return {
    sendNext,
    expire,
    nextExpiryMs() {
      const due = repository.entries
        .filter(({ state }) => state === 'queued')
        .map(({ addedAt }) => addedAt + limits.ageMsMax - clock.now());
      return due.length === 0 ? undefined : Math.max(1, Math.min(...due));
    },
  };
}

/** The task that a command is for; undefined for a start. A refusal where the start of that task came to nothing. */
function taskIdOf(entries: readonly OutboxEntry[], { command }: OutboxEntry): string | undefined | OutboxRefusal {
  if (command.type === 'start') return undefined;
  if (typeof command.target === 'string') return command.target;
  const { clientRequestId } = command.target;
  const start = findStart(entries, clientRequestId);
  if (start?.response && 'taskId' in start.response) return start.response.taskId;
  const what = start ? `was ${start.state}` : 'is no longer in this outbox';
  return { code: 'OUTBOX_START_FAILED', message: `The start ${JSON.stringify(clientRequestId)} ${what}.`, details: {} };
}

async function send(
  client: Pick<Commands, 'start' | 'act' | 'cancel'>,
  { command }: OutboxEntry,
  taskId: string | undefined,
  signal: AbortSignal,
): Promise<Answer> {
  try {
    if (command.type === 'start') return { type: 'answered', response: await client.start(command.request, { signal }) };
    if (command.type === 'act') return { type: 'answered', response: await client.act(taskId ?? '', command.request, { signal }) };
    return { type: 'answered', response: await client.cancel(taskId ?? '', command.reason, { signal }) };
  } catch (cause) {
    // The client promises its own errors only; what else comes is no word of the server's.
    const error =
      cause instanceof TaskBridgeClientError
        ? cause
        : new TaskBridgeClientError('NETWORK_ERROR', `The call failed: ${String(cause)}.`, { cause, retryable: true });
    if (isPassing(error)) return { type: 'failed', error };
    const { code, message, status, details } = error;
    return { type: 'refused', refusal: { code, message, details, ...(status !== undefined && { status }) } };
  }
}
