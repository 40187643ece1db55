import { createTaskBridgeClient } from '../../client/node/index.ts';
import { emptyAggregate, fold, taskMachine, type Aggregate } from '../../machines/index.ts';
import type { Fact } from '../../machines/wire/index.ts';
import { take } from '../charts/chart.ts';
import type { LevelCoverage } from './level-coverage.ts';
import { expectSame, patiently, transports, type SystemUnderTest } from './task-drive.ts';

/** Clients that begin in the middle of a log, and are refused the snapshot: they show what the facts from there on tell. */
export async function joinInTheMiddle({ bridges: [door], work }: SystemUnderTest, covered: LevelCoverage): Promise<void> {
  if (!door) throw new Error('There is no door.');
  for (const transport of transports) {
    const taskId = await door.start('walk');
    const own = await work.of(taskId);
    await own.report({ source: 'main', seq: 1, intents: [{ type: 'report.started', payload: {} }] });
    const client = createTaskBridgeClient({
      baseUrl: door.url,
      auth: () => ({ authorization: 'alice' }),
      transports: [transport],
      // The route of the snapshot, and no other, ends with the id.
      fetch: async (input, init) => (new Request(input).url.endsWith(taskId) ? new Response('{}', { status: 404 }) : fetch(input, init)),
    });
    const [begun] = await door.facts(taskId);
    const observation = client.observe(taskId, { lastEventId: begun?.eventId ?? '' });
    const value = (): unknown => observation.getSnapshot().task.aggregate.task.value;
    const step = take(taskMachine, emptyAggregate.task, { type: 'log.joined' });
    covered.task.note(step);
    await patiently(() => observation.getSnapshot().task.partial);
    expectSame(value(), step.next.value, `joined by ${transport}`);
    await own.report({ source: 'main', seq: 2, intents: [{ type: 'report.progress', payload: { progress: 7 } }] });
    await own.report({ source: 'main', seq: 3, intents: [{ type: 'report.completed', payload: { result: null } }] });
    const joined: Aggregate = { ...emptyAggregate, task: step.next as Aggregate['task'] };
    const after = (await door.facts(taskId)).slice(1).reduce<Aggregate>((now, fact: Fact) => fold(now, fact), joined);
    await patiently(() => observation.getSnapshot().task.aggregate.task.status === 'done');
    expectSame(value(), after.task.value, `ended by ${transport}`);
    expectSame(observation.getSnapshot().task.aggregate.task.context, after.task.context, `what was told by ${transport}`);
    await client.close();
  }
}
