import type { Batch } from './batch.ts';
import type { PartsRead } from './part-delivery.ts';
import type { PartChunk } from './part-frames.ts';
import type { LogRun } from './log-read.ts';
import type { SharedRead } from './topic.ts';
import type { ViewerEventType } from './viewer.phases.ts';

/** A page of the log, and how it was read. */
export interface PageRead {
  readonly type: 'page.read';
  readonly run: LogRun;
  readonly read: SharedRead;
  /** Whether the tail could be opened, asked before the page was read. */
  readonly opening: Promise<void>;
  /** What is to be shown of parts with it; undefined where none is. */
  readonly parts?: PartsRead | undefined;
}

/** The events of a viewer's table that carry something for its effects. */
type LoadedEvent =
  | { readonly type: 'facts.told'; readonly batch: Batch }
  | { readonly type: 'part.told'; readonly chunk: PartChunk }
  | { readonly type: 'turn.came' | 'turn.crowded'; readonly endTurn: () => void }
  | PageRead
  | { readonly type: 'log.early'; readonly opening: Promise<void> }
  | { readonly type: 'store.exhausted'; readonly error: unknown };

/** What a viewer's table is told, with what its effects need of it. */
export type ViewerEvent = LoadedEvent | { readonly type: Exclude<ViewerEventType, LoadedEvent['type']> };
