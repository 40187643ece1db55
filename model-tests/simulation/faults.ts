import type { Decision, FaultKind, FaultPoint } from './plan.ts';
import type { World } from './world.ts';

/** The faults of one history: each strikes the nth time that anybody comes by its point. */
export class Faults {
  /** From now on nothing goes wrong any more. */
  isCalm = false;
  readonly #world: World;
  readonly #counts = new Map<FaultPoint, number>();
  readonly #planned = new Map<string, FaultKind>();

  constructor(world: World, decisions: readonly Decision[]) {
    this.#world = world;
    for (const decision of decisions) if (decision.kind === 'fault') this.#planned.set(`${decision.on} ${decision.nth}`, decision.what);
  }

  /** Somebody comes by. Gives what goes wrong. */
  strike(point: FaultPoint, whose: string): FaultKind | undefined {
    if (this.isCalm) return undefined;
    const count = this.#counts.get(point) ?? 0;
    this.#counts.set(point, count + 1);
    if (this.#planned.size === 0) return undefined;
    const what = this.#planned.get(`${point} ${count}`);
    if (what) this.#world.tell(whose, `fault at ${point} ${count}: ${what}`);
    return what;
  }
}
