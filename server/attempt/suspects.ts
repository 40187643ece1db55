import { retryDelayMs, type RetryPolicy } from '../../machines/index.ts';
import { monotonicMs, type Clock } from '../ports/clock.ts';
import type { TaskRecord } from '../task/task-record.ts';
import { isSuspected } from './attempt.machine.ts';
import type { Suspects } from './reconcile-step.ts';

/** What the turn of suspects works with. */
export interface SuspectTurnDeps {
  readonly clock: Clock;
  /** Crashes that end work. */
  readonly crashesMax: number;
  /** It is the turn of a task that had to wait; resolves when that has begun or will not. */
  onTurn(taskId: string): Promise<unknown>;
  /**
   * A suspect ran for as long as it is watched, and crashed nothing; called again where it has run for ten minutes more. Resolves when that is
   * written, or could not be.
   */
  onWatched(taskId: string): Promise<unknown>;
}

interface Watched {
  readonly isAlone: boolean;
  phase: 'claimed' | 'begun' | 'watched';
  timer: unknown;
}

/** How long a run is watched: longer after each crash, so that one that takes its time to crash is found at last. */
const watch: RetryPolicy = { baseMs: 500, maxMs: 60_000, triesMax: Infinity, jitter: 0 };
/**
 * Nor longer than this part of the time that this process had lived without it: one that others end every twenty seconds says nothing of work that it
 * ran for fifteen of these, however regularly.
 */
const LIVED_SHARE = 1 / 2;
/** What has run for so long after it was cleared is no suspect any more. */
const ACQUIT_MS = 600_000;
/** So long a suspect may keep the others waiting that was claimed and does not begin. */
const BEGIN_MS = 5000;
/**
 * Crashes from which on a suspect begins by itself, or from one less than would end it: the first it had in common with all that ran, the second with
 * few.
 */
const ALONE_FROM = 3;
/** Tasks that are remembered until it is their turn; the others are found by a later look. */
const WAITING_MAX = 10_000;

/**
 * Whose turn it is on this node, of the work whose last run crashed its process. One begins, and is watched; for each that ends, waits, gets further or
 * has crashed nothing as long as it was watched two may begin: so that poison takes few with it, and a hundred that are innocent are back in moments.
 */
export class SuspectTurn implements Suspects {
  readonly #deps: SuspectTurnDeps;
  readonly #watched = new Map<string, Watched>();
  /** Those that were claimed and took so long to begin that others do not wait for them: they are watched when they do. */
  readonly #late = new Set<string>();
  /** Those that others do not wait for and that crashed nothing yet, with the timer of each. */
  readonly #runningOn = new Map<string, unknown>();
  readonly #since: number;
  readonly #waiting = new Set<string>();
  /** Those that have crashed more often than others: after them. */
  readonly #waitingAlone = new Set<string>();
  /** Those whose turn it is, as long as they have not begun. */
  readonly #called = new Set<string>();
  #most = 1;

  constructor(deps: SuspectTurnDeps) {
    this.#deps = deps;
    this.#since = monotonicMs(deps.clock);
  }

  take({ about: { taskId }, execution }: TaskRecord): boolean {
    if (this.#watched.has(taskId)) return true;
    const isAlone = this.#isForItself(execution);
    this.#called.delete(taskId);
    if (!this.#hasPlace(isAlone)) {
      this.#remember(taskId, isAlone);
      return false;
    }
    this.#forget(taskId);
    this.#late.delete(taskId);
    const timer = this.#deps.clock.setTimeout(() => {
      this.#late.add(taskId);
      this.#leave(taskId);
    }, BEGIN_MS);
    this.#watched.set(taskId, { isAlone, phase: 'claimed', timer });
    return true;
  }

  wait({ about: { taskId }, execution }: TaskRecord): void {
    this.#remember(taskId, this.#isForItself(execution));
  }

  /** Sees each commit of this node: it may have a suspect begin, or show that it does no harm. */
  note({ about: { taskId }, execution: { attempt } }: TaskRecord): void {
    const watched = this.#watched.get(taskId);
    if (!watched && !this.#late.has(taskId) && !this.#runningOn.has(taskId)) return;
    const isWatchable = attempt.hasTag('working') && isSuspected(attempt.context);
    if (!isWatchable) this.#stopTimer(taskId);
    else if (this.#late.delete(taskId)) this.#setTimer(taskId, this.#watchMs(attempt.context), () => this.#clear(taskId));
    if (!watched) return;
    if (attempt.hasTag('claimable')) this.free(taskId);
    else if (attempt.hasTag('claimed') && !attempt.hasTag('begun')) return;
    else if (!isWatchable || attempt.hasTag('cleared')) this.#pass(taskId);
    else if (watched.phase === 'claimed') this.#watch(taskId, watched, this.#watchMs(attempt.context));
  }

  free(taskId: string): void {
    this.#late.delete(taskId);
    this.#stopTimer(taskId);
    this.#leave(taskId);
  }

  /** There may be room for those that wait. */
  next(): void {
    for (;;) {
      const [taskId] = this.#waiting.size > 0 && this.#hasPlace(false) ? this.#waiting : this.#waitingAlone;
      if (taskId === undefined || (this.#waitingAlone.has(taskId) && !this.#hasPlace(true))) break;
      this.#forget(taskId);
      this.#called.add(taskId);
      void this.#deps.onTurn(taskId).then(() => {
        // Another node may have it by now. Where there was no room for it, there is none for the next.
        if (this.#called.delete(taskId) && !this.#isWaiting(taskId)) this.next();
      });
    }
    // Who comes later has another crash behind him.
    if (this.#watched.size + this.#called.size + this.#waiting.size + this.#waitingAlone.size === 0) this.#most = 1;
  }

  /** Nobody is watched any more, and nobody has his turn. */
  close(): void {
    for (const { timer } of this.#watched.values()) this.#deps.clock.clearTimeout(timer);
    for (const timer of this.#runningOn.values()) this.#deps.clock.clearTimeout(timer);
    for (const tasks of [this.#watched, this.#late, this.#runningOn, this.#waiting, this.#waitingAlone]) tasks.clear();
  }

  /** It crashed nothing. */
  #pass(taskId: string): void {
    this.#most += 1;
    this.#leave(taskId);
  }

  #leave(taskId: string): void {
    const watched = this.#watched.get(taskId);
    if (!watched) return;
    this.#deps.clock.clearTimeout(watched.timer);
    this.#watched.delete(taskId);
    this.next();
  }

  #watch(taskId: string, watched: Watched, ms: number): void {
    const { clock } = this.#deps;
    watched.phase = 'begun';
    clock.clearTimeout(watched.timer);
    watched.timer = clock.setTimeout(() => {
      watched.phase = 'watched';
      // Written before the next begins: else the crash of that one would be held against it.
      void this.#clear(taskId).then(() => this.#watched.get(taskId) === watched && this.#pass(taskId));
    }, ms);
  }

  #clear(taskId: string): Promise<unknown> {
    const { onWatched } = this.#deps;
    this.#setTimer(taskId, ACQUIT_MS, () => onWatched(taskId));
    return onWatched(taskId);
  }

  #watchMs({ crashes, spared }: TaskRecord['execution']['attempt']['context']): number {
    const lived = (monotonicMs(this.#deps.clock) - this.#since) * LIVED_SHARE;
    return Math.min(retryDelayMs(watch, crashes + spared - 1), Math.max(watch.baseMs, lived));
  }

  #setTimer(taskId: string, ms: number, ring: () => unknown): void {
    this.#runningOn.set(taskId, this.#deps.clock.setTimeout(ring, ms));
  }

  #stopTimer(taskId: string): void {
    this.#deps.clock.clearTimeout(this.#runningOn.get(taskId));
    this.#runningOn.delete(taskId);
  }

  #isForItself({ attempt }: TaskRecord['execution']): boolean {
    return attempt.context.crashes >= Math.min(ALONE_FROM, this.#deps.crashesMax - 1);
  }

  #hasPlace(isAlone: boolean): boolean {
    if (isAlone) return this.#watched.size === 0 && this.#called.size === 0;
    for (const watched of this.#watched.values()) if (watched.isAlone) return false;
    return this.#watched.size + this.#called.size < this.#most;
  }

  #remember(taskId: string, isAlone: boolean): void {
    const waiting = isAlone ? this.#waitingAlone : this.#waiting;
    if (this.#waiting.size + this.#waitingAlone.size < WAITING_MAX) waiting.add(taskId);
  }

  #isWaiting(taskId: string): boolean {
    return this.#waiting.has(taskId) || this.#waitingAlone.has(taskId);
  }

  #forget(taskId: string): void {
    this.#waiting.delete(taskId);
    this.#waitingAlone.delete(taskId);
  }
}
