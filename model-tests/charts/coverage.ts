import { initialTransition, type AnyMachineSnapshot } from 'xstate';
import { activeIdsOf, edgesOf, refusalsOf, statesOf, type BoundedChart, type Step } from './chart.ts';

/** What a walk has seen of a chart. */
export class Coverage {
  readonly states = new Set<string>();
  readonly edges = new Set<string>();
  readonly refusals = new Set<string>();
  readonly #chart: BoundedChart;

  constructor(chart: BoundedChart) {
    this.#chart = chart;
    this.#reach(initialTransition(chart.machine)[0]);
  }

  note({ next, emitted, edges }: Step): void {
    for (const edge of edges) this.edges.add(edge);
    for (const event of emitted) if (event.type === 'refused') this.refusals.add((event as unknown as { code: string }).code);
    this.#reach(next);
  }

  /** By name: each state never reached, each transition never taken, each refusal never given. */
  missing(): string[] {
    const { machine } = this.#chart;
    return [
      ...statesOf(machine).flatMap(({ id }) => (this.states.has(id) ? [] : [`state ${id}`])),
      ...edgesOf(machine).flatMap((edge) => (this.edges.has(edge) ? [] : [`edge ${edge}`])),
      ...[...refusalsOf(machine)].flatMap((code) => (this.refusals.has(code) ? [] : [`refusal ${code}`])),
    ];
  }

  #reach(snapshot: AnyMachineSnapshot): void {
    for (const id of activeIdsOf(snapshot)) this.states.add(id);
  }
}
