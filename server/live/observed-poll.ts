import type { RecordWriter } from '../observability/record-writer.ts';
import { saysFallback } from './extensions.ts';
import type { Instrumentation } from './instrumentation.ts';
import { positionOf } from './log-position.ts';
import type { PollPage, PollRequest } from './poll.ts';

/** What a poll is observed with. */
export interface ObservedPollDeps extends Instrumentation {
  readonly records: RecordWriter;
}

/**
 * Tells the sinks of a poll what they are told of a stream: that its replay begins, each delivery, and a disconnection where its caller is gone
 * before the answer. It has no heartbeats. Only a poll that was answered is counted.
 */
export async function observedPoll(
  { diagnostics, metrics, records }: ObservedPollDeps,
  taskId: string,
  { after, owner: userId, extensions, signal }: PollRequest,
  reading: Promise<PollPage>,
): Promise<PollPage> {
  const transport = 'poll';
  diagnostics?.onReplayStart?.(transport, taskId, after || null);
  let page: PollPage;
  try {
    page = await reading;
  } finally {
    if (signal?.aborted) diagnostics?.onDisconnect?.(transport, taskId);
  }
  if (signal?.aborted) return page;
  if (positionOf(after).n > 0) metrics?.incrementCounter('replays_total', 1, { transport });
  if (page.gap) metrics?.incrementCounter('gaps_total', 1, { transport, reason: page.gap.reason });
  if (saysFallback(extensions)) metrics?.incrementCounter('fallbacks_total', 1, { transport });
  const tell = ({ entries }: PollPage): void => {
    for (const entry of entries) diagnostics?.onDelivery?.(transport, taskId, entry.eventId);
  };
  const eventId = page.entries.at(-1)?.eventId;
  records('task.events.polled')?.({ taskId, ...(eventId && { eventId }), userId, transport: 'internal', outcome: pollOutcome(page) });
  return diagnostics?.onDelivery ? told(page, tell) : page;
}

/** A page whose further pieces are told of as they are read. */
function told(page: PollPage, tell: (page: PollPage) => void): PollPage {
  tell(page);
  const { readOn } = page;
  if (!readOn) return page;
  return {
    ...page,
    readOn: async () => {
      const next = await readOn();
      return next && told(next, tell);
    },
  };
}

/** What came of a poll, as its records say it. */
export function pollOutcome({
  entries,
  frames = [],
  terminal,
}: Pick<PollPage, 'entries' | 'frames' | 'terminal'>): 'facts' | 'text' | 'ended' | 'empty' {
  if (entries.length > 0) return 'facts';
  return frames.length > 0 ? 'text' : terminal ? 'ended' : 'empty';
}
