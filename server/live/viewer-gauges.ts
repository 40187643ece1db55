import type { Gauged } from '../observability/gauge-sampler.ts';
import type { LogSubscription } from './subscription.ts';

/** What the gauges of viewers and waiting polls show. Unsent bytes of a connection that several viewers share count once. */
export function* viewerGauges(
  subscriptions: Iterable<Pick<LogSubscription, 'viewer' | 'phase' | 'connection'>>,
  polls: number,
): Generator<Gauged> {
  const viewers = new Map<string, { readonly tags: Readonly<Record<string, string>>; value: number }>();
  const unsent = new Map<string, number>();
  const connections = new Set<object>();
  for (const { viewer, phase, connection } of subscriptions) {
    const { transport } = viewer;
    const counted = viewers.get(`${transport} ${phase}`);
    if (counted) counted.value += 1;
    else viewers.set(`${transport} ${phase}`, { tags: { transport, phase }, value: 1 });
    if (connections.has(connection)) continue;
    connections.add(connection);
    unsent.set(transport, (unsent.get(transport) ?? 0) + viewer.pendingBytes());
  }
  for (const { tags, value } of viewers.values()) yield { name: 'viewers', tags, value };
  for (const [transport, value] of unsent) yield { name: 'unsent_bytes', tags: { transport }, value };
  yield { name: 'polls_waiting', tags: {}, value: polls };
}
