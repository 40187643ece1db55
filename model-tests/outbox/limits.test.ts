import { createOutbox, memoryOutbox } from 'taskbridge/client/outbox';
import { describe, expect, test } from 'vitest';
import { fakeClock } from '../support/fake-clock.ts';
import { until } from '../support/until.ts';
import { handGate, openOutbox, takingServer } from './outbox-harness.ts';

const closed = { gate: handGate(false), store: memoryOutbox('nobody') };

describe('the limits of an outbox', () => {
  test.each([1, 2, 3])('let 2 commands wait where pendingMax is 2, not %i', async (count) => {
    const outbox = openOutbox('http://127.0.0.1:9', { ...closed, store: memoryOutbox('ada'), limits: { pendingMax: 2 } });
    const kept = await Promise.allSettled(Array.from({ length: count }, () => outbox.cancel('task-1')));
    expect(kept.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'].slice(0, count));
    if (count === 3) expect(kept[2]).toMatchObject({ reason: { code: 'OUTBOX_FULL', details: { pendingMax: 2 }, retryable: true } });
    expect(outbox.getSnapshot().pending).toBe(Math.min(count, 2));
  });

  test.each([-1, 0, 1])('count bytes of JSON and attachments, the limit and %i', async (over) => {
    const open = (bytesMax: number) => openOutbox('http://127.0.0.1:9', { ...closed, store: memoryOutbox('ada'), limits: { bytesMax } });
    const request = {
      taskType: 'report',
      clientRequestId: 'é',
      attachments: [
        { fileName: 'a', content: new Uint8Array(1000) },
        { fileName: 'b', content: new Blob(['x'.repeat(500)]) },
      ],
    };
    const free = open(1e6);
    await free.start(request);
    const bytes = free.getSnapshot().entries[0]?.bytes ?? 0;
    expect(bytes).toBeGreaterThan(1500);
    expect(bytes).toBeLessThan(1700);
    const tight = open(bytes - over);
    if (over > 0) await expect(tight.start(request)).rejects.toMatchObject({ code: 'OUTBOX_FULL', details: { added: bytes } });
    else await expect(tight.start(request)).resolves.toBeDefined();
  });

  test.each([999, 1000, 1001])('give up what waited too long, after %i ms of 1000', async (ms) => {
    const clock = fakeClock();
    const gate = handGate(false);
    const outbox = openOutbox('http://127.0.0.1:9', { store: memoryOutbox('ada'), gate, clock, limits: { ageMsMax: 1000 } });
    const { id } = await outbox.cancel('task-1');
    await until(outbox, ({ state }) => state === 'offline');
    clock.advance(ms);
    if (ms < 1000) {
      expect(clock.next).toBe(1);
      expect(outbox.getSnapshot().pending).toBe(1);
    } else expect(await outbox.settled(id)).toMatchObject({ state: 'expired', wasSent: false, refusal: { code: 'OUTBOX_EXPIRED' } });
  });

  test('keep what became of commands, the newest, and starts that others wait for', async () => {
    const server = await takingServer();
    const gate = handGate();
    const outbox = openOutbox(server.baseUrl, { store: memoryOutbox('ada'), gate, limits: { outcomesMax: 2 } });
    for (const id of ['a', 'b', 'c']) await outbox.start({ taskType: 'report', clientRequestId: id }).then((ticket) => ticket.settled());
    const ids = () =>
      outbox.getSnapshot().entries.map(({ command }) => (command.type === 'start' ? command.request.clientRequestId : command.type));
    expect(ids()).toEqual(['b', 'c']);
    gate.set(false);
    const cancel = await outbox.cancel({ clientRequestId: 'b' });
    await outbox.dismiss();
    expect(ids()).toEqual(['b', 'cancel']);
    gate.set(true);
    expect(await cancel.settled()).toMatchObject({ state: 'done', response: { taskId: 'task-of-b' } });
    await outbox.dismiss(cancel.id);
    expect(ids()).toEqual(['b']);
    await outbox.dismiss();
    expect(ids()).toEqual([]);
  });

  test('are refused where they cannot be right', () => {
    const make = (limits: object, store = memoryOutbox('ada')) => createOutbox({} as never, { store, limits });
    for (const name of ['pendingMax', 'bytesMax', 'ageMsMax', 'restBaseMs', 'restMaxMs', 'patienceMs', 'outcomesMax'])
      expect(() => make({ [name]: -1 })).toThrowError(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(() => make({}, memoryOutbox(' '))).toThrowError(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
