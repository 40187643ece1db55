import type { EventId } from '../../machines/wire/index.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger, MetricsSink, TransportDiagnosticsSink } from '../ports/observability.ts';
import type { RecordWriter } from '../observability/record-writer.ts';
import type { PartCursors } from '../../machines/parts/index.ts';
import type { NewestOfTask } from '../ports/lanes.ts';
import type { Batch } from './batch.ts';
import type { DeliveryLag } from './delivery-lag.ts';
import { HeartbeatMonitor, type HeartbeatListener } from './heartbeat-monitor.ts';
import type { TextCache } from './text-cache.ts';
import type { LiveStore } from './live-store.ts';
import type { LogPosition } from './log-position.ts';
import type { LogRun } from './log-read.ts';
import type { LiveOptions } from './options.ts';
import { PartDelivery } from './part-delivery.ts';
import { endOf, type PartChunk } from './part-frames.ts';
import { timerAt } from './timer-queue.ts';
import type { Topic, TopicSubscriber } from './topic.ts';
import { ViewerDelivery, type DeliveryListener } from './viewer-delivery.ts';
import { ViewerEffects, type EffectsListener } from './viewer-effects.ts';
import type { ViewerEvent } from './viewer-event.ts';
import { viewerPhases, type ViewerPhase } from './viewer.phases.ts';
import type { ViewerSpans } from './viewer-spans.ts';
import type { Viewer } from './viewer.ts';

/** One viewer's place in one log. */
export interface Subscription {
  /** Frees everything at once; the connection itself is the transport's. Does nothing the second time. */
  close(): void;
}

/** Who watches what, and from where on. */
export interface Watching {
  readonly topic: Topic;
  readonly viewer: Viewer;
  readonly cursor: LogPosition;
  /** When the viewer's credentials end, in milliseconds since the epoch. */
  readonly cutAt: number | undefined;
  /** The page after the cursor, where it was read beforehand. */
  readonly first?: LogRun | undefined;
  /** How far its client has come in parts; undefined where it is shown none. */
  readonly parts?: PartCursors | undefined;
}

/** What subscriptions work with: the same for all of a process. */
export interface SubscriptionDeps {
  /** What viewers of this node were shown of long texts. */
  readonly texts?: TextCache | undefined;
  readonly store: LiveStore;
  readonly clock: Clock;
  readonly options: LiveOptions;
  readonly logger: Logger | undefined;
  readonly diagnostics: TransportDiagnosticsSink | undefined;
  readonly records: RecordWriter;
  /** Absent where nobody measures. */
  readonly lag?: DeliveryLag | undefined;
  readonly spans?: ViewerSpans | undefined;
  readonly metrics?: MetricsSink | undefined;
  readonly onClosed: (subscription: LogSubscription) => void;
}

/**
 * One viewer of one log: a phase of `viewerPhases`, which decides; what was delivered; and the effects, which do what was decided. Costs at most
 * `viewerBytesMax` and one fact; viewers that share a connection together that much and a fact for each that reads.
 */
export class LogSubscription implements Subscription, TopicSubscriber, DeliveryListener, EffectsListener, HeartbeatListener {
  readonly topic: Topic;
  /** The viewer that it serves. */
  readonly viewer: Viewer;
  readonly #deps: SubscriptionDeps;
  readonly #delivery: ViewerDelivery;
  readonly #parts: PartDelivery | undefined;
  readonly #effects: ViewerEffects;
  readonly #heartbeats: HeartbeatMonitor;
  readonly #cancelCut: (() => void) | undefined;
  readonly #endSpan: (() => void) | undefined;
  #phase: ViewerPhase = viewerPhases.initial.to;

  constructor(deps: SubscriptionDeps, { topic, viewer, cursor, cutAt, first, parts: cursors }: Watching) {
    const { clock, store, spans, texts } = deps;
    this.#deps = deps;
    this.topic = topic;
    this.viewer = viewer;
    this.#parts =
      cursors && store.lanes && viewer.parts ? new PartDelivery({ topic, store, lanes: store.lanes, cursors, texts }) : undefined;
    // It is what all of them tell, and `deps` what all work with: objects and functions of their own would be most of what an idle viewer costs.
    this.#delivery = new ViewerDelivery(deps, this, cursor, this.#parts);
    this.#effects = new ViewerEffects(deps, this, this.#delivery, first);
    this.#heartbeats = new HeartbeatMonitor(deps, this);
    this.#cancelCut = cutAt === undefined ? undefined : timerAt(clock, cutAt, () => this.cut());
    this.#endSpan = spans?.subscribed(topic.taskId, viewer.transport);
  }

  /** Viewers that have the same one are of one connection. */
  get connection(): object {
    return this.viewer.sharing ?? this.viewer;
  }

  /** Where it stands. */
  get phase(): ViewerPhase {
    return this.#phase;
  }

  /** How many batches it holds, to show them after the page that is on its way. */
  get holding(): number {
    return this.#delivery.heldCount;
  }

  /** Subscribes first, then reads: the seam loses nothing. */
  start(): void {
    this.topic.addSubscriber(this);
    if (this.#parts) this.topic.wantParts();
    for (const effect of viewerPhases.initial.effects) this.#effects.perform(effect);
  }

  take(batch: Batch): void {
    this.#delivery.noteNewest(batch.last.n);
    this.on({ type: 'facts.told', batch });
  }

  mark(): void {
    this.#delivery.mark();
  }

  compare(newest: EventId | null): void {
    if (this.#delivery.hasMissed(newest)) this.on({ type: 'facts.missed' });
  }

  takePart(chunk: PartChunk): void {
    if (!this.#parts) return;
    this.#parts.noteTold(chunk.lane, endOf(chunk));
    this.on({ type: 'part.told', chunk });
  }

  compareParts(lanes: NewestOfTask['lanes']): void {
    if (!this.#parts) return;
    for (const { lane, length } of lanes) this.#parts.noteTold(lane, length);
    if (this.#parts.isBehind(this.#delivery.cursor.n)) this.on({ type: 'facts.missed' });
  }

  close(): void {
    this.on({ type: 'viewer.closed' });
  }

  /** Breaks the connection, so that the client comes back. */
  cut(): void {
    this.on({ type: 'viewer.cut' });
  }

  /** Tells its table what happened, and does what that says. */
  on(event: ViewerEvent): void {
    const cell = viewerPhases.phases[this.#phase].on[event.type];
    if (cell === 'nothing') return;
    if (cell === 'never') {
      this.#deps.logger?.error('A viewer was told what cannot be.', { taskId: this.topic.taskId, phase: this.#phase, event: event.type });
      return;
    }
    this.#phase = cell.to ?? this.#phase;
    for (const effect of cell.effects) this.#effects.perform(effect, event);
  }

  sent(): void {
    this.#heartbeats.sent();
  }

  beaten(): void {
    const { diagnostics, records } = this.#deps;
    const { transport, owner: userId } = this.viewer;
    const { taskId } = this.topic;
    diagnostics?.onHeartbeat?.(transport, taskId);
    if (transport === 'ws') records('ws.heartbeat.sent')?.({ taskId, userId, transport });
  }

  /** Frees everything at once. */
  release(): void {
    this.#delivery.dropHeld();
    this.#effects.stop();
    this.#heartbeats.stop();
    this.#cancelCut?.();
    this.#endSpan?.();
    const { diagnostics, onClosed } = this.#deps;
    this.topic.removeSubscriber(this);
    onClosed(this);
    diagnostics?.onDisconnect?.(this.viewer.transport, this.topic.taskId);
  }
}
