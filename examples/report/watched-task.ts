import type { ConnectionView, TaskBridgeClient } from 'taskbridge/client/node';
import type { Aggregate, TaskState } from 'taskbridge/machines';
import type { TransportName, Fact, UnknownFact } from 'taskbridge/wire';
import { connectionLine, factLine, statusLines } from './fact-text.ts';
import type { Paint, Screen } from './screen.ts';

/** A task as the demo follows it: on the screen, and for whoever waits for something to happen. */
export interface WatchedTask {
  /** Every fact that was delivered, in the order of delivery. */
  readonly facts: readonly (Fact | UnknownFact)[];
  /** Resolves when the log has ended; rejects where it cannot be followed to its end. */
  readonly ended: Promise<void>;
  aggregate(): Aggregate;
  /** 0–100. */
  progress(): number;
  connection(): ConnectionView;
  /** How often a connection has come to life so far. */
  connections(): number;
  /** Resolves with true as soon as the predicate holds, with false when the task ended before, or the time is over where one is given. */
  until(predicate: () => boolean, withinMs?: number): Promise<boolean>;
  close(): void;
}

/** Follows a task, and shows what happens as it happens. */
export function watchTask(client: TaskBridgeClient, taskId: string, screen: Screen, paint: Paint): WatchedTask {
  const observation = client.observe(taskId);
  const facts: (Fact | UnknownFact)[] = [];
  const waiting = new Set<() => void>();
  let connections = 0;
  let state: TaskState = 'accepted';
  let liveOn: TransportName | undefined;
  let isOver = false;
  let progressShownFrom = 0;

  const look = () => {
    for (const again of [...waiting]) again();
  };
  const subscription = observation.subscribe(({ connection, task }) => {
    const now = connection.state === 'live' ? connection.transport : undefined;
    if (now !== liveOn) {
      liveOn = now;
      if (now) connections += 1;
      if (now || connection.state === 'connecting' || connection.state === 'waiting')
        screen.line(paint(`       ${now ? connectionLine({ ...connection, climbing: false }) : 'connection lost'}`, 'dim'));
    }
    if (task.state !== state) {
      screen.line(paint(`       task chart: ${state} → ${task.state}`, 'dim'));
      state = task.state;
    }
    screen.status(statusLines(task.aggregate, connection, paint));
    look();
  });

  const ended = (async () => {
    for await (const fact of observation) {
      facts.push(fact);
      if (isWorthALine(fact)) screen.line(factLine(fact, paint));
    }
  })().finally(() => {
    isOver = true;
    subscription.unsubscribe();
    look();
  });
  // Whoever waits for the end hears of it; until somebody does, it is no unhandled rejection.
  ended.catch(() => undefined);

  /** A terminal has the bar; a log file gets one line for every ten percent. */
  function isWorthALine(fact: Fact | UnknownFact): boolean {
    if (fact.type !== 'TASK_PROGRESS') return true;
    const { progress } = (fact as Fact<'TASK_PROGRESS'>).payload;
    if (screen.redraws || progress < progressShownFrom) return false;
    progressShownFrom = Math.floor(progress / 10) * 10 + 10;
    return true;
  }

  return {
    facts,
    ended,
    aggregate: () => observation.getSnapshot().task.aggregate,
    progress: () => observation.getSnapshot().task.progress?.progress ?? 0,
    connection: () => observation.getSnapshot().connection,
    connections: () => connections,
    until: (predicate, withinMs) =>
      new Promise((resolve) => {
        const settle = () => {
          clearTimeout(timer);
          waiting.delete(again);
          resolve(predicate());
        };
        const again = () => {
          if (isOver || predicate()) settle();
        };
        const timer = withinMs === undefined ? undefined : setTimeout(settle, withinMs);
        waiting.add(again);
        again();
      }),
    close: () => observation.close(),
  };
}
