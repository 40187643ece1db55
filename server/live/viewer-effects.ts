import { retryDelayMs } from '../../machines/index.ts';
import type { ViewerTransport } from '../ports/observability.ts';
import { readAfter, type LogRun } from './log-read.ts';
import { storeRetry } from './options.ts';
import type { SubscriptionDeps, Watching } from './subscription.ts';
import { timerAfter } from './timer.ts';
import type { SharedRead } from './topic.ts';
import type { DeliveryStanding, ViewerDelivery } from './viewer-delivery.ts';
import type { ViewerEvent } from './viewer-event.ts';
import type { ViewerEffect } from './viewer.phases.ts';

/** What the effects of a viewer's table work with. */
export type ViewerEffectsDeps = Pick<SubscriptionDeps, 'store' | 'clock' | 'options' | 'logger'>;

/** Told by the effects of a viewer's table. */
export interface EffectsListener extends Pick<Watching, 'topic' | 'viewer'> {
  /** Tells the table what an effect led to. */
  on(event: ViewerEvent): void;
  /** Frees everything that the viewer has. */
  release(): void;
}

type EventOf<Type extends ViewerEvent['type']> = Extract<ViewerEvent, { readonly type: Type }>;

/** Of a viewer's room, the part that is read: what a transport wraps around small facts needs the rest. */
const pageShare: Readonly<Record<ViewerTransport, number>> = { ws: 15 / 16, sse: 3 / 4, poll: 1, internal: 1 };

/** Does what a viewer's table says: shows facts, reads pages, and waits for what is to come next. */
export class ViewerEffects {
  readonly #deps: ViewerEffectsDeps;
  readonly #listener: EffectsListener;
  readonly #delivery: ViewerDelivery;
  #cancelPause: (() => void) | undefined;
  #failures = 0;
  #first: LogRun | undefined;

  constructor(deps: ViewerEffectsDeps, listener: EffectsListener, delivery: ViewerDelivery, first: LogRun | undefined) {
    this.#deps = deps;
    this.#listener = listener;
    this.#delivery = delivery;
    this.#first = first;
  }

  /** Does one of them; `event` is what led to it. */
  perform(effect: ViewerEffect, event?: ViewerEvent): void {
    const { viewer } = this.#listener;
    const delivery = this.#delivery;
    switch (effect) {
      case 'hold':
        if (event?.type === 'facts.told') delivery.hold(event.batch);
        return;
      case 'follow':
        if (event?.type === 'facts.told') this.#attempt(event, showFacts);
        return;
      case 'followPart':
        if (event?.type === 'part.told') this.#attempt(event, showPart);
        return;
      case 'show':
        if (event?.type === 'page.read') this.#attempt(event, showPage);
        return;
      case 'dropHeld':
        return delivery.dropHeld();
      case 'read':
        return this.#read();
      case 'readAgain':
        // Who shares a connection takes no turn from the others while its store fails, and as little room as can be.
        return void this.#readPage(viewer.sharing ? 0 : 1);
      case 'takeTurn':
        return void this.#takeTurn();
      case 'readInTurn':
        if (event?.type === 'turn.came') void this.#readPage(1 / (viewer.sharing?.reads.most ?? 1)).finally(event.endTurn);
        return;
      case 'endTurn':
        if (event?.type === 'turn.came' || event?.type === 'turn.crowded') event.endTurn();
        return;
      case 'awaitTail':
        if (event?.type === 'log.early') this.#awaitTail(event.opening);
        return;
      case 'awaitDrain':
        return viewer.onDrain(() => this.#listener.on({ type: 'viewer.drained' }));
      case 'awaitPause':
        return this.#awaitPause();
      case 'resetFailures':
        this.#failures = 0;
        return;
      case 'logFailure':
        if (event?.type === 'store.exhausted') this.#logFailure(event.error);
        return;
      case 'release':
        return this.#listener.release();
      case 'cut':
        return viewer.cut();
      case 'cutTask':
        return viewer.cutTask();
      case 'end':
        return viewer.end();
    }
  }

  /** Waits for nothing any more. */
  stop(): void {
    this.#cancelPause?.();
  }

  /** A viewer that throws is a fault of its transport; it ends this viewer and nothing else. */
  #attempt<Event>(event: Event, show: (delivery: ViewerDelivery, event: Event) => ViewerEvent | Error): void {
    try {
      this.#listener.on(this.#eventOf(show(this.#delivery, event)));
    } catch (error) {
      this.#deps.logger?.error('A viewer failed.', { taskId: this.#listener.topic.taskId, error });
      this.#listener.on({ type: 'viewer.broke' });
    }
  }

  #read(): void {
    this.#delivery.dropHeld();
    const { topic, viewer } = this.#listener;
    if (viewer.sharing) this.#awaitTail(topic.open());
    else void this.#readPage(1);
  }

  #awaitTail(opening: Promise<void>): void {
    opening.then(
      () => this.#listener.on({ type: 'tail.opened' }),
      (error: unknown) => this.#listener.on(this.#failed(error)),
    );
  }

  /** Those who read at once have half of the connection's room to themselves at least. */
  async #takeTurn(): Promise<void> {
    const { options } = this.#deps;
    const endTurn = await this.#listener.viewer.sharing?.reads.take();
    if (endTurn) this.#listener.on({ type: this.#delivery.room < options.viewerBytesMax / 2 ? 'turn.crowded' : 'turn.came', endTurn });
  }

  /** Gives history while the tail may still be opening; level is only who has read after it was open. */
  async #readPage(share: number): Promise<void> {
    const { store } = this.#deps;
    const { topic, viewer } = this.#listener;
    const delivery = this.#delivery;
    const { cursor } = delivery;
    const opening = topic.open();
    opening.catch(() => undefined);
    try {
      const bytes = Math.max(1, Math.floor(delivery.room * share * pageShare[viewer.transport]));
      const rest = delivery.partsRun;
      if (rest)
        return this.#listener.on({
          type: 'page.read',
          run: rest,
          read: unopened(rest),
          opening,
          parts: await delivery.parts?.readOn(bytes),
        });
      const limit = { facts: viewer.batches.replayFactsMax, bytes };
      const place = [cursor.n, cursor.ms, limit.bytes, limit.facts].join();
      const read = this.#takeFirst() ?? topic.read(place, () => readAfter(store, topic.taskId, cursor, limit));
      const run = await read.run;
      const parts = run && (await delivery.parts?.read(run, bytes));
      // A task that is gone: the client comes back and is told so.
      this.#listener.on(run ? { type: 'page.read', run, read, opening, parts } : { type: 'task.gone' });
    } catch (error) {
      this.#listener.on(this.#failed(error));
    }
  }

  /** What was read beforehand, once; the tail was not open yet, so that it is read on from there. */
  #takeFirst(): SharedRead | undefined {
    const first = this.#first;
    this.#first = undefined;
    return first && unopened(first);
  }

  #eventOf(shown: ViewerEvent | Error): ViewerEvent {
    return shown instanceof Error ? this.#failed(shown) : shown;
  }

  #failed(error: unknown): ViewerEvent {
    this.#failures += 1;
    return this.#failures < this.#deps.options.storeTriesMax ? { type: 'store.failed' } : { type: 'store.exhausted', error };
  }

  #awaitPause(): void {
    const { clock, options } = this.#deps;
    const pauseMs = retryDelayMs(storeRetry(options), this.#failures - 1);
    this.#cancelPause = timerAfter(clock, pauseMs, () => this.#listener.on({ type: 'pause.ended' }));
  }

  #logFailure(error: unknown): void {
    const { taskId } = this.#listener.topic;
    this.#deps.logger?.warn('A viewer is cut: the store failed too often in a row.', { taskId, failures: this.#failures, error });
  }
}

// Not functions and events of each viewer and frame: one frame goes to thousands.
const standings: Readonly<Record<DeliveryStanding, ViewerEvent>> = {
  'log.level': { type: 'log.level' },
  'log.more': { type: 'log.more' },
  'log.torn': { type: 'log.torn' },
  'log.ended': { type: 'log.ended' },
};

function showFacts(delivery: ViewerDelivery, { batch }: EventOf<'facts.told'>): ViewerEvent {
  return standings[delivery.showBatch(batch)];
}

function showPart(delivery: ViewerDelivery, { chunk }: EventOf<'part.told'>): ViewerEvent {
  return standings[delivery.showPart(chunk)];
}

function showPage(delivery: ViewerDelivery, event: EventOf<'page.read'>): ViewerEvent | Error {
  return delivery.showPage(event);
}

/** A read of which nobody knows what was told meanwhile: after what it gives, the log is read. */
function unopened(run: LogRun): SharedRead {
  return { run: Promise.resolve(run), wasTailOpen: false, told: 0 };
}
