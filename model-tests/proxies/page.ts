import { createTaskBridgeClient } from 'taskbridge/client';
import { travel, type Journey } from './journey.ts';

/** What a page met. */
export interface PageJourney extends Journey {
  /** The protocols by which the page's requests went: `h2`, `http/1.1`. */
  readonly protocols: readonly string[];
}

declare global {
  interface Window {
    /** Travels with the defaults of a client of this page's own server, which knows its reader by a cookie. */
    travelHere: () => Promise<PageJourney>;
  }
}

window.travelHere = async () => {
  const client = createTaskBridgeClient({ baseUrl: new URL('.', location.href).href });
  const journey = await travel(client);
  await client.close();
  const requests = performance.getEntriesByType('resource') as PerformanceResourceTiming[];
  return { ...journey, protocols: [...new Set(requests.map(({ nextHopProtocol }) => nextHopProtocol))] };
};
