import { expect, test, vi } from 'vitest';
import { createActor, type InspectionEvent } from 'xstate';
import { inProcess } from '../../adapters/in-process/index.ts';
import { memoryStore } from '../../adapters/memory/index.ts';
import { createTaskBridgeClient, type TaskView } from '../../client/node/index.ts';
import { emptyAggregate, fold, storeAggregate, taskMachine, type Aggregate, type StoredAggregate } from '../../machines/index.ts';
import { isFact, type Fact } from '../../machines/wire/index.ts';
import { bridgeOf } from '../server/bridge-of.ts';
import { storedAt } from './stored-at.ts';

/** Does some of everything, one commit after the other. */
const busy = inProcess({
  async busy(task) {
    await task.progress(10, { stage: 'one', message: 'first' });
    const both = [
      task.suspend('left', { reasonCode: 'LEFT', allowedActions: ['yes', 'no'], interaction: { side: 'left' } }),
      task.suspend('right', { reasonCode: 'RIGHT', allowedActions: ['yes', 'no'], uiHints: { title: 'ä→🎂' } }),
    ];
    await task.message('asked twice', 'debug');
    await Promise.all(both);
    await task.suspend('late', { reasonCode: 'LATE', allowedActions: ['yes'], expiresInMs: 30 }).catch(() => undefined);
    await task.progress(90);
    return { done: true };
  },
});

test('server, log and client agree at every fact, whatever the transport', async () => {
  for (const transport of ['ws', 'sse', 'poll'] as const) {
    const stored = new Map<string, StoredAggregate>();
    const of = await bridgeOf(busy, { store: storedAt(memoryStore(), stored) });
    const seen: Fact[] = [];
    const inspect = (event: InspectionEvent) => {
      if (event.type !== '@xstate.event') return;
      const { id } = event.actorRef as typeof event.actorRef & { readonly id: string };
      // Only facts are in upper case.
      if (id === 'task' && /^[A-Z_]+$/.test(event.event.type)) seen.push(event.event as unknown as Fact);
    };
    const client = createTaskBridgeClient({ baseUrl: of.url, auth: () => ({ authorization: 'alice' }), transports: [transport], inspect });
    const taskId = await of.start('busy');
    const observation = client.observe(taskId, { lastEventId: '' });
    const views: TaskView[] = [];
    observation.subscribe(({ task }) => views.push(task));
    const delivered: Fact[] = [];
    for await (const fact of observation) {
      delivered.push(fact as Fact);
      if (isFact(fact, 'TASK_SUSPENDED') && fact.payload.reasonCode !== 'LATE')
        await client.act(taskId, { suspendId: fact.payload.suspendId, actionType: 'yes' });
    }

    const facts = await of.facts(taskId);
    expect(delivered, transport).toEqual(facts);
    expect(seen, transport).toEqual(facts);
    let folded: Aggregate = emptyAggregate;
    const foldedAt = new Map<string, StoredAggregate>();
    const chart = createActor(taskMachine).start();
    for (const fact of facts) {
      folded = fold(folded, fact);
      foldedAt.set(fact.eventId, storeAggregate(folded));
      chart.send(fact);
      expect(chart.getSnapshot().context, `${transport}: a live actor folds like the pure chart`).toEqual(folded.task.context);
    }
    for (const [eventId, aggregate] of stored) expect(aggregate, `${transport}: the store at ${eventId}`).toEqual(foldedAt.get(eventId));
    expect(stored.size).toBeGreaterThan(5);
    for (const { lastEventId, aggregate } of views) {
      if (lastEventId !== null)
        expect(storeAggregate(aggregate), `${transport}: the client at ${lastEventId}`).toEqual(foldedAt.get(lastEventId));
    }
    // Once a batch: at least what comes before each of the three questions are over, and after the last.
    expect(new Set(views.map(({ lastEventId }) => lastEventId)).size).toBeGreaterThan(2);
    await vi.waitFor(() => expect(observation.getSnapshot().connection.state).toBe('done'));
    expect(observation.getSnapshot().task.result).toEqual({ done: true });
    await client.close();
  }
});
