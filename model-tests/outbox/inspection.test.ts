import { memoryOutbox } from 'taskbridge/client/outbox';
import { describe, expect, test } from 'vitest';
import type { InspectionEvent } from 'xstate';
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

  test('shows what became of a command by another tab, and keeps no actor of one that is settled or gone', async () => {
    const server = await takingServer();
    const { inspect, toldTo } = seenActors();
    const stopped: string[] = [];
    const look = (event: InspectionEvent): void => {
      inspect(event);
      const { id } = event.actorRef as { readonly id?: string };
      if (event.type === '@xstate.event' && event.event.type === 'xstate.stop' && id) stopped.push(id);
    };
    server.script.command = () => [503, { code: 'STORE_UNAVAILABLE', message: 'Later.', details: {} }];
    const store = memoryOutbox('ada');
    const gate = handGate();
    const here = openOutbox(server.baseUrl, { store, gate, inspect: look });
    const there = openOutbox(server.baseUrl, { store, gate: handGate(false) });
    const sent = async (): Promise<string> => {
      gate.set(true);
      const { id } = await here.start({ taskType: 'report' });
      await until(here, ({ state, entries }) => state === 'resting' && entries.some((entry) => entry.id === id && entry.wasSent));
      gate.set(false);
      await until(here, ({ state }) => state === 'offline');
      return id;
    };
    const withdrawn = await sent();
    await there.withdraw(withdrawn);
    expect(await here.settled(withdrawn)).toMatchObject({ state: 'withdrawn' });
    expect(toldTo(`entries.${withdrawn}`).at(-1)).toBe('entry.withdrawn');
    const gone = await sent();
    await store.change(() => ({ remove: [gone] }));
    expect(await here.settled(gone)).toEqual({ state: 'forgotten' });
    expect(new Set(toldTo(`entries.${gone}`))).toEqual(new Set(['entry.sent']));
    expect(stopped).toEqual([`entries.${gone}`]);
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
