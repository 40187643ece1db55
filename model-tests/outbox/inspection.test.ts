import { memoryOutbox } from 'taskbridge/client/outbox';
import { describe, expect, test } from 'vitest';
import { seenActors } from '../support/inspector-record.ts';
import { until } from '../support/until.ts';
import { handGate, openOutbox, takingServer } from './outbox-harness.ts';

describe('an outbox that is inspected', () => {
  test('shows its chart, and each command beneath it as the store took its moves', async () => {
    const server = await takingServer();
    const { seen, inspect, toldTo } = seenActors();
    const gate = handGate(false);
    const outbox = openOutbox(server.baseUrl, { store: memoryOutbox('ada'), gate, inspect });
    const sent = await outbox.start({ taskType: 'report', clientRequestId: 'one' });
    const taken = await outbox.act('task-7', { suspendId: 's', actionType: 'approve', clientActionId: 'yes' });
    await outbox.withdraw(taken.id);
    gate.set(true);
    await until(outbox, ({ state, pending }) => state === 'idle' && pending === 0);
    expect(toldTo(`entries.${sent.id}`)).toEqual(['entry.sent', 'entry.answered']);
    expect(toldTo(`entries.${taken.id}`)).toEqual(['entry.withdrawn']);
    expect(toldTo('outbox/ada')).toEqual(expect.arrayContaining(['gate.closed', 'entries.pending', 'gate.opened', 'entries.none']));
    expect(new Set(seen.filter(({ id }) => id.startsWith('entries.')).map(({ parent }) => parent))).toEqual(new Set(['outbox/ada']));
  });

  test('goes on where another tab has moved a command meanwhile', async () => {
    const server = await takingServer();
    const { inspect, toldTo } = seenActors();
    const store = memoryOutbox('ada');
    const gate = handGate(false);
    const here = openOutbox(server.baseUrl, { store, gate: handGate(false), inspect });
    const there = openOutbox(server.baseUrl, { store, gate });
    const { id } = await here.start({ taskType: 'report', clientRequestId: 'one' });
    await until(there, ({ pending }) => pending === 1);
    await there.withdraw(id);
    // Settled elsewhere: nothing moves it here.
    expect(await here.withdraw(id)).toBe(false);
    expect(toldTo(`entries.${id}`)).toEqual([]);
  });

  test('loses nothing by an inspector that throws', async () => {
    const server = await takingServer();
    const fail = (): never => {
      throw new Error('Broken glass.');
    };
    for (const inspect of [fail, { next: fail }]) {
      const outbox = openOutbox(server.baseUrl, { store: memoryOutbox('ada'), inspect });
      const ticket = await outbox.start({ taskType: 'report' });
      expect(await ticket.settled()).toMatchObject({ state: 'done' });
    }
  });
});
