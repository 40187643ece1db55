import { startActors, type Aggregate, type AggregateActors, type Inspect } from '../../machines/index.ts';
import type { Fact, UnknownFact } from '../../machines/wire/index.ts';

/** Real actors of the recorded charts, for an inspector to look at. They follow the projection and decide nothing. */
export interface InspectorActors {
  /** Begins anew at another aggregate. */
  show(aggregate: Aggregate): void;
  /** Sends the next fact to the charts that it moves. */
  feed(fact: Fact | UnknownFact): void;
  stop(): void;
}

/** Makes actors only where somebody inspects. */
export function createInspectorActors(taskId: string, inspect: Inspect | undefined): InspectorActors {
  let actors: AggregateActors | undefined;
  return {
    show(aggregate) {
      actors?.stop();
      if (inspect) actors = startActors(taskId, aggregate, inspect);
    },
    feed: (fact) => actors?.feed(fact),
    stop: () => actors?.stop(),
  };
}
