import { startActors, type Aggregate, type AggregateActors, type Fact, type Inspect, type UnknownFact } from '../../machines/index.ts';

/** Real actors of the recorded charts, for an inspector to look at. They follow the projection and decide nothing. */
export interface Mirror {
  /** Begins anew at another aggregate. */
  show(aggregate: Aggregate): void;
  /** Sends the next fact to the charts that it moves. */
  feed(fact: Fact | UnknownFact): void;
  stop(): void;
}

/** Makes actors only where somebody inspects. */
export function createMirror(taskId: string, inspect: Inspect | undefined): Mirror {
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
