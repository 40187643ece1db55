import { useMemo, useSyncExternalStore } from 'react';
import type { Clock, TaskBridgeClient } from '../index.ts';
import { partOf, type ObservedPart, type PartView } from '../parts/index.ts';
import type { PooledObservation } from './observation-pool.ts';
import { useTaskBridge } from './provider.ts';
import { isClient, type TaskIdOrNone } from './use-task.ts';

/** Calls back when the next frame is drawn; returns what takes that back. */
export type FrameScheduler = (draw: () => void) => () => void;

/** How a part is shown. */
export interface ShownPartOptions {
  /** Keep it the same function from render to render. Defaults to `requestAnimationFrame`; where there is none, to 16 ms of the provider's clock. */
  readonly schedule?: FrameScheduler;
}

const FRAME_MS = 16;

/**
 * A part of a task while it grows: the latest of a name, or that of a number; undefined before it is opened. Renders at most once a frame, however fast text comes,
 * and nobody else by it. The client needs `parts: taskParts()`: without it this throws with code `INVALID_ARGUMENT`.
 */
export function usePart(taskId: TaskIdOrNone, which: string | number, options?: ShownPartOptions): PartView | undefined;
export function usePart(
  client: TaskBridgeClient,
  taskId: TaskIdOrNone,
  which: string | number,
  options?: ShownPartOptions,
): PartView | undefined;
export function usePart(first: TaskBridgeClient | TaskIdOrNone, ...rest: readonly unknown[]): PartView | undefined {
  // The two overloads allow nothing else.
  const [client, taskId, which, { schedule } = {}] = (isClient(first) ? [first, ...rest] : [undefined, first, ...rest]) as [
    TaskBridgeClient | undefined,
    TaskIdOrNone,
    string | number,
    ShownPartOptions?,
  ];
  const { observations, clock } = useTaskBridge(client);
  const shown = useMemo(
    () => (taskId ? shownPart(observations.of(taskId), which, schedule ?? framesOf(clock)) : nothing),
    [observations, clock, taskId, which, schedule],
  );
  return useSyncExternalStore(shown.subscribe, shown.getSnapshot, shown.getSnapshot);
}

/** A part as of the last frame. */
interface ShownPart {
  getSnapshot(): PartView | undefined;
  subscribe(listener: () => void): () => void;
}

const nothing: ShownPart = { getSnapshot: () => undefined, subscribe: () => () => undefined };

function shownPart(pooled: PooledObservation, which: string | number, schedule: FrameScheduler): ShownPart {
  let shown: PartView | undefined;
  return {
    getSnapshot: () => shown,
    subscribe(listener) {
      const { observation, release } = pooled.hold();
      if (!observation) return release;
      const part = heldPart(observation, which, release);
      let takeBack: (() => void) | undefined;
      const unlisten = part.subscribe(() => {
        takeBack ??= schedule(() => {
          takeBack = undefined;
          shown = part.getSnapshot();
          listener();
        });
      });
      shown = part.getSnapshot();
      return () => {
        takeBack?.();
        unlisten();
        release();
      };
    },
  };
}

/** A client that takes no parts is a fault of the page: what was held for it is let go. */
function heldPart(observation: { readonly taskId: string }, which: string | number, release: () => void): ObservedPart {
  try {
    return partOf(observation, which);
  } catch (error) {
    release();
    throw error;
  }
}

function framesOf(clock: Clock): FrameScheduler {
  return (draw) => {
    // No timer: what a browser draws next. Nothing is drawn in a simulation.
    if ('requestAnimationFrame' in globalThis) {
      const frame = globalThis.requestAnimationFrame(draw);
      return () => globalThis.cancelAnimationFrame(frame);
    }
    const timer = clock.setTimeout(draw, FRAME_MS);
    return () => clock.clearTimeout(timer);
  };
}
