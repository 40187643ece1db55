/** How large a door may be for a page. */
export interface Budget {
  readonly door: string;
  /** Largest bundle, gzipped; beyond the client, what it adds to that. */
  readonly bytesMax: number;
  /** What the page brings itself. */
  readonly external?: readonly string[];
}

/** The client with all that it needs, XState among it. */
export const coreBudget: Budget = { door: 'taskbridge/client', bytesMax: 47_900 };
/** What each costs a page that has the client. */
export const budgetsBeyond: readonly Budget[] = [
  { door: 'taskbridge/client/outbox', bytesMax: 6_144 },
  { door: 'taskbridge/client/parts', bytesMax: 3_600 },
  { door: 'taskbridge/client/streams', bytesMax: 2_100 },
  { door: 'taskbridge/client/tabs', bytesMax: 6_600 },
  // Who shows no part loads nothing of that door: `usePart` is all that imports it.
  { door: 'taskbridge/react', bytesMax: 4_700, external: ['react', '../parts/index.ts'] },
  { door: 'taskbridge/xstate', bytesMax: 2_150 },
  { door: 'taskbridge/react-native', bytesMax: 800 },
  { door: 'taskbridge/client/testing', bytesMax: 3_600 },
];
