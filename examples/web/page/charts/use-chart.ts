import { useSyncExternalStore } from 'react';
import type { ChartFeed, ChartView } from './feed.ts';

/** A running chart, followed. */
export function useChart({ subscribe, of }: ChartFeed, actorId: string): ChartView | undefined {
  return useSyncExternalStore(subscribe, () => of(actorId));
}
