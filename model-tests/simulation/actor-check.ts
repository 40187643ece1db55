import { isDeepStrictEqual } from 'node:util';
import type { Aggregate } from '../../machines/index.ts';
import type { TaskActor } from '../../server/index.ts';
import type { SimulatedNode } from './node.ts';
import type { Oracle } from './oracle.ts';
import type { World } from './world.ts';

/** A host that subscribes to a live actor: it shows the fold of the log, fact by fact, and never goes back. */
export class ActorCheck {
  readonly node: SimulatedNode;
  isPinned = true;
  readonly #world: World;
  readonly #oracle: Oracle;
  readonly #taskId: string;
  readonly #actor: TaskActor;
  readonly #subscription: { unsubscribe(): void };
  #at = 0;

  constructor(world: World, oracle: Oracle, node: SimulatedNode, taskId: string, actor: TaskActor) {
    this.node = node;
    this.#world = world;
    this.#oracle = oracle;
    this.#taskId = taskId;
    this.#actor = actor;
    this.#subscription = actor.subscribe(() => this.#look());
    this.#look();
  }

  /** True where it shows all of the log, or has stopped, because its node is gone or the log was trimmed before it. */
  get isLevel(): boolean {
    const { status } = this.#actor.getSnapshot();
    if (status === 'stopped') return true;
    // The end of a history that is lost is an end.
    if (status === 'done' && this.#oracle.of(this.#taskId).lost.length > 0) return true;
    return this.node.entity.isDead || this.#matches(this.#oracle.of(this.#taskId).folds.length - 1);
  }

  finish(): void {
    this.isPinned = false;
    this.#subscription.unsubscribe();
  }

  #look(): void {
    if (this.node.entity.isDead) return;
    const task = this.#oracle.of(this.#taskId);
    const { folds } = task;
    // Until it learns that its history is lost, and stops.
    if (task.lost.some((log) => log.folds.some((fold) => this.#shows(fold.task)))) return;
    for (let at = this.#at; at < folds.length; at += 1) {
      if (!this.#matches(at)) continue;
      this.#at = at;
      return;
    }
    const { value, context } = this.#actor.getSnapshot();
    this.#world.fault(
      'live actor = fold(log)',
      `${this.node.entity.name} shows ${JSON.stringify([value, context])} after fact ${this.#at}`,
    );
  }

  #matches(at: number): boolean {
    return this.#shows(this.#oracle.of(this.#taskId).folds[at]?.task);
  }

  #shows(truth: Aggregate['task'] | undefined): boolean {
    const { value, context } = this.#actor.getSnapshot();
    return isDeepStrictEqual([truth?.value, truth?.context], [value, context]);
  }
}
