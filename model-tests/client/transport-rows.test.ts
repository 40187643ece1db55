import { describe, expect, test } from 'vitest';
import type { transportMachine } from 'taskbridge/machines';
import { createActor, transition, type AnyMachineSnapshot, type ContextFrom } from 'xstate';
import type { ActingChart, ActingEvent } from '../charts/acting-chart.ts';
import { transportChart, type WalkedEnding } from './transport-charts.ts';

// By hand, from the protocol's "Clients": ways of one observation. What is decided step by step stands in `charts/decisions/`.

const refused = (status: number, code?: string): WalkedEnding => ({ kind: 'refused', status, ...(code && { code }) });

/** A chart after these events. */
function after({ machine, input }: ActingChart, events: readonly ActingEvent[]): AnyMachineSnapshot {
  let snapshot = createActor(machine, { input }).getSnapshot() as AnyMachineSnapshot;
  for (const event of events) [snapshot] = transition(machine, snapshot, event as never) as [AnyMachineSnapshot, unknown];
  return snapshot;
}
const valueAfter = (chart: ActingChart, events: readonly ActingEvent[]): unknown => after(chart, events).value;
// The context of just any machine is typed as anything.
const contextAfter = (chart: ActingChart, events: readonly ActingEvent[]) =>
  after(chart, events).context as ContextFrom<typeof transportMachine>;

const says = (transport: string, what: string): ActingEvent => ({ type: `connection.${what}`, transport });
const ends = (transport: string, kind = 'lost'): ActingEvent => ({
  type: `xstate.done.actor.${transport}`,
  actorId: transport,
  output: { kind },
});
const changed = { type: 'network.changed' };
const comes = (next: string): ActingEvent => ({
  type: 'xstate.done.actor.recovery',
  output: { next, failure: { code: 'REQUEST_REFUSED', message: '' }, retryAfterMs: 0 },
});
const rested = { type: 'xstate.after.climbInterval.transport.observing.delivering.steady' };

describe('the transport, with one try on each', () => {
  test.each<[events: ActingEvent[], delivering: string, credentials: string]>([
    [[], 'connecting', 'trusted'],
    [[says('ws', 'live')], 'steady', 'trusted'],
    [[says('ws', 'live'), rested], 'steady', 'trusted'],
    [[ends('ws')], 'recovering', 'trusted'],
    [[ends('ws'), comes('lost')], 'connecting', 'trusted'],
    [[ends('ws'), comes('refreshed')], 'connecting', 'fresh'],
    [[ends('ws'), comes('refreshed'), says('ws', 'live')], 'steady', 'accepted'],
    [[ends('ws'), comes('refreshed'), says('ws', 'offline')], 'connecting', 'accepted'],
    [[ends('ws'), comes('refreshed'), ends('ws'), comes('lost')], 'connecting', 'accepted'],
    [[ends('ws'), comes('refreshed'), { type: 'consumer.full' }], 'full', 'accepted'],
    [[{ type: 'consumer.full' }, { type: 'consumer.drained' }], 'connecting', 'trusted'],
    [[ends('ws'), comes('lost'), ends('sse'), comes('lost'), ends('poll'), comes('lost')], 'waiting', 'trusted'],
    [[ends('ws'), comes('lost'), says('sse', 'live'), rested], 'probing', 'trusted'],
    [[ends('ws'), comes('lost'), says('sse', 'live'), rested, says('ws', 'level')], 'proving', 'trusted'],
    [[ends('ws'), comes('lost'), says('sse', 'live'), rested, ends('ws')], 'steady', 'trusted'],
    [[ends('ws'), comes('lost'), says('sse', 'live'), rested, ends('sse')], 'recovering', 'trusted'],
    [[ends('ws'), comes('routeless'), says('sse', 'live'), rested], 'steady', 'trusted'],
    // Somebody else answered for it: the next, and it again by climbing.
    [[ends('ws'), comes('barred')], 'connecting', 'trusted'],
    [[ends('ws'), comes('barred'), says('sse', 'live'), rested], 'probing', 'trusted'],
    [[ends('ws'), comes('barred'), ends('sse'), comes('barred'), ends('poll'), comes('lost')], 'waiting', 'trusted'],
    // A poll beside what is silent; the first word of either.
    [[says('ws', 'silent')], 'connecting', 'trusted'],
    [[says('ws', 'silent'), says('ws', 'live')], 'steady', 'trusted'],
    [[says('ws', 'silent'), says('poll', 'live')], 'probing', 'trusted'],
    [[says('ws', 'silent'), ends('poll')], 'connecting', 'trusted'],
    [[says('ws', 'silent'), ends('ws')], 'recovering', 'trusted'],
    [[says('ws', 'silent'), { ...ends('poll'), output: refused(404, 'TASK_NOT_FOUND') }], 'recovering', 'trusted'],
    [[says('ws', 'silent'), { ...ends('poll'), output: refused(404, 'NOT_FOUND') }], 'connecting', 'trusted'],
    [[says('ws', 'silent'), { ...ends('poll'), output: refused(404) }], 'connecting', 'trusted'],
    [[says('ws', 'silent'), says('poll', 'live'), says('ws', 'level')], 'proving', 'trusted'],
    [[says('ws', 'silent'), says('poll', 'live'), ends('ws', 'mute')], 'probing', 'trusted'],
    [[says('ws', 'silent'), says('poll', 'live'), ends('ws', 'mute'), ends('sse', 'mute')], 'steady', 'trusted'],
    [[says('ws', 'silent'), says('poll', 'live'), ends('poll')], 'recovering', 'trusted'],
    // Another network: a poll beside what may be dead, and anew where that is answered.
    [[says('ws', 'live'), changed], 'steady', 'trusted'],
    [[says('ws', 'live'), changed, says('poll', 'live')], 'connecting', 'trusted'],
    [[says('ws', 'live'), changed, ends('poll')], 'steady', 'trusted'],
    [[says('ws', 'live'), { type: 'consumer.full' }, changed], 'full', 'trusted'],
    [[ends('ws'), changed], 'recovering', 'trusted'],
    [[ends('ws'), comes('lost'), ends('sse'), comes('lost'), ends('poll'), comes('lost'), changed], 'connecting', 'trusted'],
    [[ends('ws'), comes('lost'), says('sse', 'live'), rested, changed], 'connecting', 'trusted'],
  ])('after %j is %s, its credentials %s', (events, delivering, credentials) => {
    expect(valueAfter(transportChart({ ws: 1, sse: 1, poll: 1 }), events)).toEqual({ observing: { delivering, credentials } });
  });

  test.each([
    [refused(400, 'REQUEST_VALIDATION_ERROR'), 'connecting'],
    [refused(426, 'UPGRADE_REQUIRED'), 'connecting'],
    [refused(403, 'TASK_OWNERSHIP_ERROR'), 'recovering'],
  ])(
    'takes %j of a stream that is asked beside another for a word about that stream alone, or about the task: %s',
    (output, delivering) => {
      const events = [says('ws', 'silent'), { ...ends('sse'), output }];
      expect(valueAfter(transportChart({ ws: 1, sse: 1, poll: 0 }), events)).toEqual({ observing: { delivering, credentials: 'trusted' } });
    },
  );

  test('leaves a transport that said nothing out until it is climbed to, or the network is another', () => {
    const chart = transportChart({ ws: 1, sse: 1, poll: 1 });
    const muted = [says('ws', 'silent'), says('poll', 'live'), ends('ws', 'mute'), ends('sse', 'mute')];
    const fallen = [
      ...muted,
      ends('poll'),
      comes('lost'),
      { type: 'xstate.after.reconnectBackoff.transport.observing.delivering.waiting' },
    ];
    const transportAfter = (events: ActingEvent[]): unknown => contextAfter(chart, events).transport;
    expect(contextAfter(chart, muted)).toMatchObject({ transport: 'poll', barred: ['sse', 'ws'], climbFailures: 2 });
    expect(transportAfter(fallen)).toBe('poll');
    expect(transportAfter([...fallen, changed])).toBe('ws');
    const climbed = [...muted, rested, ends('ws', 'mute'), says('sse', 'level')];
    expect(contextAfter(chart, climbed)).toMatchObject({ transport: 'sse', barred: ['ws'] });
  });

  test.each<[events: ActingEvent[], end: string]>([
    [[{ type: 'log.ended' }], 'done'],
    [[ends('ws'), comes('finished')], 'done'],
    [[ends('ws'), comes('failed')], 'failed'],
    [[ends('ws'), comes('routeless'), ends('sse'), comes('routeless'), ends('poll'), comes('routeless')], 'failed'],
  ])('after %j is %s', (events, end) => {
    expect(valueAfter(transportChart({ ws: 1, sse: 1, poll: 1 }), events)).toBe(end);
  });
});
