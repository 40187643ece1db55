import { createHash } from 'node:crypto';
import { cancellationSignal, log } from '@temporalio/activity';
import { systemChance, systemClock, type WorkReport, type WorkReportOutcome } from '../../../server/ports/index.ts';
import type { AttemptRef, TaskReporter } from '../../../server/reporter/index.ts';
import { TaskStopped, type PartOptions, type ValueOptions } from '../../in-process/index.ts';
import { HandlePromise } from '../../in-process/handle-promise.ts';
import { reportRetries } from '../../in-process/report-retry.ts';
import type { Became, QueuedIntent, QueuedWith } from '../../in-process/report-queue.ts';
import { RunParts } from '../../in-process/run-parts.ts';

/** How a part of an activity is written; as for a handler, but that each try begins anew. */
export type ActivityPartOptions = Omit<PartOptions, 'onRerun'>;
/** The same for a value that is replaced. */
export type ActivityValueOptions = Omit<ValueOptions, 'onRerun'>;

/** What the parts of an activity are made with. */
export interface ActivityPartsDeps {
  readonly reporter: Pick<TaskReporter, 'report'> & Partial<Pick<TaskReporter, 'parts'>>;
  readonly ref: AttemptRef;
  /** By which the activity's try reports. */
  readonly source: string;
  /** Which try it is. */
  readonly attempt: number;
}

/** Of all activities of this process. */
const unsent = { count: 0 };

/** The parts of one try of an activity. All that they report goes one after the other, until it is known what became of it. */
export function activityParts({ reporter, ref, source, attempt }: ActivityPartsDeps): RunParts {
  const signal = cancellationSignal();
  const { pause, isFinal } = reportRetries({ clock: systemClock, chance: systemChance });
  const work = reporter.parts?.(ref);
  // The tries of one activity are told apart, and from all other activities of the attempt.
  const ofActivity = activityPrefix(source);
  const ofTry = `${ofActivity}${attempt}.`;
  const stopped = new AbortController();
  const reason = (): TaskStopped => new TaskStopped({ why: signal.aborted ? 'cancel' : 'fenced' });
  let seq = 0;
  // Nobody awaits it, and a try may do without.
  let last: Promise<unknown> = clearEarlierTries().catch(
    (error: unknown) => void log.warn('What an earlier try left open was not closed.', { ...ref, error }),
  );

  async function retry<T>(ask: () => Promise<T>): Promise<T | undefined> {
    for (let tries = 0; ; tries++) {
      if (signal.aborted || stopped.signal.aborted) return undefined;
      try {
        return await ask();
      } catch (error) {
        if (isFinal(error)) throw error;
        await pause(tries);
      }
    }
  }

  async function deliver(report: WorkReport): Promise<WorkReportOutcome> {
    return (await retry(() => reporter.report(ref, report))) ?? { status: 'fenced' };
  }

  async function say(intent: QueuedIntent, { before }: QueuedWith, flushed: (() => Promise<unknown>) | undefined): Promise<Became> {
    await before?.();
    await flushed?.();
    const said = typeof intent === 'function' ? intent() : intent;
    if (!said) return undefined;
    const outcome = await deliver({ source: `${source}/parts`, seq: (seq += 1), intents: [said] });
    if (outcome.status === 'fenced') throw reason();
    return outcome.status === 'duplicate' ? 'duplicate' : outcome.refusals[0];
  }

  /** A try that is over closes nothing any more: what it wrote stays, and says that it is not whole. */
  async function clearEarlierTries(): Promise<void> {
    const left = attempt > 1 ? ((await retry(async () => work?.openedBy(ofActivity))) ?? []) : [];
    // A try may begin so late that the one after it is at work.
    for (const { part } of left.filter(({ key = '' }) => Number.parseInt(key.slice(ofActivity.length), 10) < attempt))
      await deliver({
        source: `${source}/parts`,
        seq: (seq += 1),
        intents: [{ type: 'report.part.closed', payload: { part, outcome: 'ABANDONED' } }],
      });
  }

  const parts: RunParts = new RunParts({
    attempt: 1,
    keyPrefix: ofTry,
    clock: systemClock,
    unsent,
    parts: work,
    enqueue(intent, about) {
      const flushed = about.opens ? undefined : parts.flushed();
      const said = last.then(() => say(intent, about, flushed));
      last = said.catch(() => undefined);
      return said;
    },
    deliver,
    retry,
    handle(reported) {
      // Whoever awaits it hears of it; where nobody does, the worker lives on, and its log has it.
      reported.catch((error: unknown) => void log.warn('A part of a task was not written.', { ...ref, error }));
      return HandlePromise.by(reported);
    },
    fenced: () => stopped.abort(),
    lost: () => stopped.abort(),
    reason,
    signal: () => signal,
  });
  return parts;
}

/** What the keys of an activity's parts begin with; the number of the try follows. */
function activityPrefix(source: string): string {
  const activity = source.slice(0, source.lastIndexOf('/'));
  return `${createHash('sha256').update(activity).digest('hex').slice(0, 32)}.`;
}
