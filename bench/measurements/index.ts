import { appends } from './appends.ts';
import type { Measurement } from './bench.ts';
import { fanOut } from './fan-out.ts';

/** All measurements, by the names that `--only` takes. */
export const measurements: readonly { readonly name: string; readonly title: string; readonly measure: Measurement }[] = [
  { name: 'appends', title: 'Appends on Redis', measure: appends },
  { name: 'fan-out-ws', title: 'Fan-out over WebSocket', measure: fanOut('ws') },
  { name: 'fan-out-sse', title: 'Fan-out over SSE', measure: fanOut('sse') },
];
