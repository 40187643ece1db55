import { useEffect, useState } from 'react';
import { TaskBridgeClientError, type Fact, type TaskBridgeClient, type UnknownFact } from 'taskbridge/client';

/** What the log brought so far, and how it ended where it has. */
export interface FactsView {
  readonly facts: readonly (Fact | UnknownFact)[];
  readonly end: 'open' | 'complete' | 'broken';
}

const none: FactsView = { facts: [], end: 'open' };

/** Every fact of a task from its first, as an iterator delivers them. */
export function useFacts(client: TaskBridgeClient, taskId: string): FactsView {
  const [view, setView] = useState(none);
  useEffect(() => {
    const observation = client.observe(taskId, { lastEventId: '' });
    const facts: (Fact | UnknownFact)[] = [];
    let isAsked = false;
    // One picture for all that came since the last.
    const show = (end: FactsView['end']): void => {
      isAsked = false;
      setView({ facts: [...facts], end });
    };
    const read = async (): Promise<void> => {
      for await (const fact of observation) {
        facts.push(fact);
        if (!isAsked) queueMicrotask(() => isAsked && show('open'));
        isAsked = true;
      }
      show('complete');
    };
    read().catch((error: unknown) => {
      if (!(error instanceof TaskBridgeClientError && error.code === 'CLOSED')) show('broken');
    });
    return () => observation.close();
  }, [client, taskId]);
  return view;
}
