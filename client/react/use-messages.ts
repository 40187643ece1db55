import { useEffect, useState } from 'react';
import { isFact, type TaskBridgeClient } from '../index.ts';
import { compareEventIds, type EventId, type FactPayload } from '../../machines/wire/index.ts';
import { useTaskBridge } from './provider.ts';
import { isClient, type TaskIdOrNone } from './use-task.ts';

/** A message of a task's log. */
export interface TaskMessage {
  readonly eventId: EventId;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly payload: FactPayload<'TASK_MESSAGE'>;
}

/** The last messages of a task. */
export interface UsedMessages {
  /** The newest last. The same list until one came. */
  readonly messages: readonly TaskMessage[];
  /** There were earlier ones, which are not shown: more than `max`, or no longer kept by the server. */
  readonly hasEarlier: boolean;
}

/** How many are kept. */
export interface MessagesOptions {
  /** The newest so many. Defaults to 100. */
  readonly max?: number;
}

const MESSAGES_MAX = 100;
/** Renders are gathered for so long: a burst is one. */
const GATHER_MS = 16;
const none: UsedMessages = { messages: [], hasEarlier: false };

/**
 * The last messages of a task, read from the start of its log by an observation of their own, which shares the connection of the others as soon as it
 * has caught up. Renders once a burst.
 */
export function useMessages(taskId: TaskIdOrNone, options?: MessagesOptions): UsedMessages;
export function useMessages(client: TaskBridgeClient, taskId: TaskIdOrNone, options?: MessagesOptions): UsedMessages;
export function useMessages(first: TaskBridgeClient | TaskIdOrNone, ...rest: readonly unknown[]): UsedMessages {
  // The two overloads allow nothing else.
  const [client, taskId, { max = MESSAGES_MAX } = {}] = (isClient(first) ? [first, ...rest] : [undefined, first, ...rest]) as [
    TaskBridgeClient | undefined,
    TaskIdOrNone,
    MessagesOptions?,
  ];
  const { client: used, context, clock } = useTaskBridge(client);
  const [shown, setShown] = useState<UsedMessages>(none);
  useEffect(() => {
    if (!taskId) return undefined;
    const life = new AbortController();
    let kept = none;
    let timer: unknown;
    const show = (next: UsedMessages): void => {
      kept = next;
      timer ??= clock.setTimeout(() => {
        timer = undefined;
        setShown(kept);
      }, GATHER_MS);
    };
    void (async () => {
      const observation = used.observe(taskId, { lastEventId: '', signal: life.signal, ...(context && { context }) });
      for await (const fact of observation) {
        if (!isFact(fact, 'TASK_MESSAGE')) continue;
        const { eventId, createdAt, payload } = fact;
        const { continuity } = observation.getSnapshot().connection;
        const newest: TaskMessage | undefined = kept.messages.at(-1);
        // The server lost what it had told, and tells another history from its start.
        const before = newest && (compareEventIds(eventId, newest.eventId) ?? 1) <= 0 ? none : kept;
        const messages = [...before.messages, { eventId, createdAt, payload }];
        show({
          messages: messages.slice(Math.max(0, messages.length - max)),
          hasEarlier: before.hasEarlier || continuity === 'gap' || messages.length > max,
        });
      }
      // A failure is shown by whoever shows the task.
    })().catch(() => undefined);
    return () => {
      life.abort();
      clock.clearTimeout(timer);
      setShown(none);
    };
  }, [used, context, clock, taskId, max]);
  return shown;
}
