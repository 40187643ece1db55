import { describe, expect, test } from 'vitest';
import type { transportMachine } from 'taskbridge/machines';
import { createActor, transition, type AnyMachineSnapshot, type ContextFrom } from 'xstate';
import type { ActingChart, ActingEvent } from '../charts/acting-chart.ts';
import { connectionChart, quietRecovery, transportChart, type WalkedEnding } from './transport-charts.ts';

// By hand, from the protocol's "Clients". What is said here is not read off the charts.

const closed = (closeCode: number, verdict?: 'retry' | 'final'): WalkedEnding => ({
  kind: 'closed',
  closeCode,
  ...(verdict && { verdict }),
});
const refused = (status: number, code?: string, verdict?: 'retry' | 'final'): WalkedEnding => ({
  kind: 'refused',
  status,
  ...(code && { code }),
  ...(verdict && { verdict }),
});

const threw = (kind: 'lost' | 'unauthorized' | 'unsendable', verdict?: 'retry' | 'final'): WalkedEnding => ({
  kind,
  error: new Error('It threw.'),
  ...(verdict && { verdict }),
});

/** The same where nobody at that address has spoken the protocol. */
const unknown = (status: number): WalkedEnding => ({ kind: 'refused', status, isUnknown: true });
type Name = 'ws' | 'sse' | 'poll';

describe('what comes after a connection', () => {
  test.each<[transport: Name, ending: WalkedEnding, afterFresh: string, afterTaken: string, afterFacts: string]>([
    ['ws', { kind: 'lost' }, 'lost', 'lost', 'lost'],
    ['sse', threw('lost'), 'lost', 'lost', 'lost'],
    ['sse', threw('lost', 'final'), 'failed', 'failed', 'failed'],
    ['poll', threw('unauthorized'), 'lost', 'lost', 'lost'],
    ['ws', threw('unauthorized', 'retry'), 'lost', 'lost', 'lost'],
    ['ws', threw('unauthorized', 'final'), 'failed', 'failed', 'failed'],
    ['ws', threw('unsendable'), 'failed', 'failed', 'failed'],
    ['ws', threw('unsendable', 'retry'), 'lost', 'lost', 'lost'],
    ['ws', { kind: 'unopened' }, 'settling', 'settling', 'settling'],
    ['sse', { kind: 'ended' }, 'settling', 'settling', 'settling'],
    ['ws', closed(1000), 'settling', 'settling', 'settling'],
    ['ws', closed(1012), 'settling', 'settling', 'settling'],
    ['ws', closed(1008), 'appealing', 'appealing', 'refreshing'],
    ['ws', closed(4401), 'appealing', 'appealing', 'refreshing'],
    ['ws', closed(4500), 'settling', 'settling', 'settling'],
    ['ws', closed(1000, 'final'), 'failed', 'failed', 'failed'],
    ['ws', closed(1008, 'retry'), 'lost', 'lost', 'lost'],
    ['poll', refused(401, 'AUTHENTICATION_ERROR'), 'failed', 'refreshing', 'refreshing'],
    ['ws', refused(401, 'AUTHENTICATION_ERROR'), 'failed', 'refreshing', 'refreshing'],
    ['sse', refused(403, 'TASK_OWNERSHIP_ERROR'), 'failed', 'failed', 'failed'],
    ['ws', refused(404, 'TASK_NOT_FOUND'), 'failed', 'failed', 'failed'],
    ['ws', refused(404, 'NOT_FOUND'), 'routeless', 'routeless', 'routeless'],
    ['ws', refused(400, 'BAD_REQUEST'), 'routeless', 'routeless', 'routeless'],
    ['ws', refused(405, 'METHOD_NOT_ALLOWED'), 'routeless', 'routeless', 'routeless'],
    ['ws', refused(426, 'UPGRADE_REQUIRED'), 'routeless', 'routeless', 'routeless'],
    ['sse', refused(501, 'NOT_IMPLEMENTED'), 'routeless', 'routeless', 'routeless'],
    ['poll', refused(400, 'BAD_REQUEST'), 'failed', 'failed', 'failed'],
    ['poll', refused(404, 'NOT_FOUND'), 'failed', 'failed', 'failed'],
    ['poll', refused(501, 'NOT_IMPLEMENTED'), 'lost', 'lost', 'lost'],
    ['sse', refused(408), 'lost', 'lost', 'lost'],
    ['sse', refused(425), 'lost', 'lost', 'lost'],
    ['ws', refused(429), 'lost', 'lost', 'lost'],
    ['poll', refused(503), 'lost', 'lost', 'lost'],
    ['poll', refused(409, 'IDEMPOTENCY_CONFLICT'), 'failed', 'failed', 'failed'],
    ['poll', refused(409, undefined, 'retry'), 'lost', 'lost', 'lost'],
    ['poll', refused(409, undefined, 'final'), 'failed', 'failed', 'failed'],
    ['poll', refused(503, undefined, 'final'), 'failed', 'failed', 'failed'],
    ['ws', refused(401, undefined, 'retry'), 'lost', 'lost', 'lost'],
    // Somebody else's word, where the server has been heard: weather.
    ...[400, 403, 404, 405, 421, 426, 501].flatMap((status): [Name, WalkedEnding, string, string, string][] =>
      (['ws', 'sse', 'poll'] as const).map((name) => [name, refused(status), 'lost', 'lost', 'lost']),
    ),
    ['sse', refused(401), 'lost', 'refreshing', 'refreshing'],
    ['ws', refused(200), 'barred', 'barred', 'barred'],
    ['ws', refused(302), 'barred', 'barred', 'barred'],
    ['sse', refused(200), 'barred', 'barred', 'barred'],
    // The same where nobody has.
    ...[400, 403, 404, 405, 421, 426].flatMap((status): [Name, WalkedEnding, string, string, string][] => [
      ['ws', unknown(status), 'barred', 'barred', 'barred'],
      ['sse', unknown(status), 'barred', 'barred', 'barred'],
      ['poll', unknown(status), 'lost', 'lost', 'lost'],
    ]),
    ['ws', unknown(401), 'lost', 'refreshing', 'refreshing'],
    ['ws', unknown(503), 'lost', 'lost', 'lost'],
    ['ws', { kind: 'closed', closeCode: 1008, isUnknown: true }, 'settling', 'settling', 'refreshing'],
    ['ws', { kind: 'mute' }, 'lost', 'lost', 'lost'],
  ])('by %s that ended with %j', (transport, ending, ...wanted) => {
    const found = (['nothing', 'unauthorized', 'closed'] as const).map(
      (refreshable) => createActor(quietRecovery, { input: { transport, ending, refreshable } }).getSnapshot().value,
    );
    expect(found).toEqual(wanted);
  });
});

describe('what comes of asking for new credentials after a 401', () => {
  const error = new Error('no token');
  test.each<[answer: object, value: string, code: string | undefined, cause: unknown]>([
    [{ outcome: 'given' }, 'refreshed', undefined, undefined],
    [{ outcome: 'none' }, 'failed', 'AUTHENTICATION_ERROR', undefined],
    [{ outcome: 'failed', error }, 'lost', undefined, undefined],
    [{ outcome: 'failed', error, verdict: 'retry' }, 'lost', undefined, undefined],
    [{ outcome: 'failed', error, verdict: 'final' }, 'failed', 'CREDENTIALS_UNAVAILABLE', error],
  ])('%j', (output, value, code, cause) => {
    const input = { transport: 'poll', ending: refused(401, 'AUTHENTICATION_ERROR'), refreshable: 'unauthorized' } as const;
    const before = createActor(quietRecovery, { input }).getSnapshot();
    const [next] = transition(quietRecovery, before, { type: 'xstate.done.actor.refresh', output } as never);
    expect([next.value, next.output?.failure?.code, next.output?.failure?.cause]).toEqual([value, code, cause]);
  });
});

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

const opened = { type: 'gate.opened' };
const wire = (what: string): ActingEvent => ({ type: `wire.${what}` });

const silent = { type: 'xstate.after.silentTime.connection.stream.opening.asked' };
const mute = { type: 'xstate.after.muteTime.connection.stream.opening.doubted' };

describe('one connection', () => {
  test.each<[transport: 'ws' | 'poll', events: ActingEvent[], value: unknown]>([
    ['ws', [], 'gated'],
    ['ws', [{ type: 'gate.closed' }], 'gated'],
    ['ws', [opened], { stream: { opening: 'unsent' } }],
    ['ws', [opened, wire('asked')], { stream: { opening: 'asked' } }],
    ['ws', [opened, wire('asked'), silent], { stream: { opening: 'asked' } }],
    ['ws', [opened, wire('asked'), silent, { type: 'other.answered' }], { stream: { opening: 'doubted' } }],
    ['ws', [opened, wire('asked'), silent, { type: 'other.answered' }, wire('confirmed')], { stream: 'live' }],
    ['ws', [opened, wire('asked'), silent, { type: 'other.answered' }, mute], 'over'],
    ['ws', [opened, { type: 'other.answered' }], { stream: { opening: 'unsent' } }],
    ['ws', [opened, wire('asked'), mute], { stream: { opening: 'asked' } }],
    ['ws', [opened, wire('confirmed')], { stream: 'live' }],
    ['ws', [opened, wire('facts')], { stream: 'live' }],
    ['ws', [opened, wire('malformed'), wire('malformed')], { stream: { opening: 'unsent' } }],
    ['ws', [opened, wire('malformed'), wire('malformed'), wire('malformed')], 'over'],
    ['ws', [opened, wire('malformed'), wire('malformed'), wire('alive'), wire('malformed')], { stream: 'live' }],
    ['ws', [opened, { type: 'xstate.after.openTimeout.connection.stream.opening' }], 'over'],
    ['ws', [opened, wire('confirmed'), { type: 'xstate.after.livenessTimeout.connection.stream.live' }], 'over'],
    ['poll', [opened], { poll: 'connecting' }],
    ['poll', [opened, wire('page')], { poll: 'asking' }],
    ['poll', [opened, wire('page'), opened], { poll: 'waiting' }],
    ['poll', [opened, wire('page'), { type: 'gate.closed' }], 'over'],
    ['poll', [opened, wire('empty')], { poll: 'pausing' }],
    ['poll', [opened, wire('malformed'), wire('malformed'), wire('empty'), opened, wire('malformed')], 'over'],
  ])('by %s after %j is %j', (transport, events, value) => {
    expect(valueAfter(connectionChart(transport), events)).toEqual(value);
  });
});

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
