import type { AnyMachineSnapshot, AnyStateMachine, AnyTransitionDefinition } from 'xstate';
import type { Step } from './chart.ts';
import { activeIdsOf, edgeName, edgesOf, refusalsOf, statesOf } from './drawn.ts';

/** What a walk has visited of a chart, by name. */
export class Coverage {
  readonly machine: AnyStateMachine;
  readonly #visited = new Set<string>();
  /** All that there is to visit, by name. */
  readonly #drawn: readonly string[];

  constructor(machine: AnyStateMachine) {
    this.machine = machine;
    this.#drawn = [
      ...statesOf(machine).map(({ id }) => `state ${id}`),
      ...edgesOf(machine).map((edge) => `edge ${edge}`),
      ...[...refusalsOf(machine)].map((code) => `refusal ${code}`),
    ];
  }

  /** A step by the pure chart. */
  note({ next, emitted, edges }: Step): void {
    for (const edge of edges) this.#take(edge);
    for (const event of emitted) if (event.type === 'refused') this.#visited.add(`refusal ${(event as unknown as { code: string }).code}`);
    this.reach(next);
  }

  /** A transition that an actor took. A state that is left at once was visited then. */
  take(edge: AnyTransitionDefinition): void {
    this.#take(edgeName(edge));
    this.#visited.add(`state ${edge.source.id}`);
  }

  reach(snapshot: AnyMachineSnapshot): void {
    for (const id of activeIdsOf(snapshot)) this.#visited.add(`state ${id}`);
  }

  /** Visited, and drawn, of each kind. */
  count(kind: 'state' | 'edge' | 'refusal'): { readonly visited: number; readonly drawn: number } {
    const names = this.#drawn.filter((name) => name.startsWith(`${kind} `));
    return { visited: names.filter((name) => this.#visited.has(name)).length, drawn: names.length };
  }

  /** By name: each state never reached, each edge never taken, each refusal never given. */
  missing(): string[] {
    return this.#drawn.filter((name) => !this.#visited.has(name));
  }

  #take(edge: string): void {
    this.#visited.add(`edge ${edge}`);
  }
}
