import { isDeepStrictEqual } from 'node:util';
import type { TaskActor } from '../../machines/index.ts';
import type { SimulatedNode } from './node.ts';
import type { Witness } from './witness.ts';
import type { World } from './world.ts';

/** A host that subscribes to a live actor: it shows the fold of the log, fact by fact, and never goes back. */
export class ActorCheck {
  readonly node: SimulatedNode;
  isPinned = true;
  readonly #world: World;
  readonly #witness: Witness;
  readonly #taskId: string;
  readonly #actor: TaskActor;
  readonly #subscription: { unsubscribe(): void };
  #at = 0;

  constructor(world: World, witness: Witness, node: SimulatedNode, taskId: string, actor: TaskActor) {
    this.node = node;
    this.#world = world;
    this.#witness = witness;
    this.#taskId = taskId;
    this.#actor = actor;
    this.#subscription = actor.subscribe(() => this.#look());
    this.#look();
  }

  /** True where it shows all of the log, or has stopped, because its node is gone or the log was trimmed before it. */
  get isLevel(): boolean {
    if (this.#actor.getSnapshot().status === 'stopped') return true;
    return this.node.being.isDead || this.#matches(this.#witness.of(this.#taskId).folds.length - 1);
  }

  finish(): void {
    this.isPinned = false;
    this.#subscription.unsubscribe();
  }

  #look(): void {
    if (this.node.being.isDead) return;
    const { folds } = this.#witness.of(this.#taskId);
    for (let at = this.#at; at < folds.length; at += 1) {
      if (!this.#matches(at)) continue;
      this.#at = at;
      return;
    }
    const { value, context } = this.#actor.getSnapshot();
    this.#world.fault('live actor = fold(log)', `${this.node.being.name} shows ${JSON.stringify([value, context])} after fact ${this.#at}`);
  }

  #matches(at: number): boolean {
    const truth = this.#witness.of(this.#taskId).folds[at]?.task;
    const { value, context } = this.#actor.getSnapshot();
    return isDeepStrictEqual([truth?.value, truth?.context], [value, context]);
  }
}
