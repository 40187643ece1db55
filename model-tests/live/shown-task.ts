import type { PartFrame } from '../../machines/parts/index.ts';
import type { Fact } from '../../machines/wire/index.ts';
import { askedParts } from '../../server/live/extensions.ts';
import { createLiveHub } from '../../server/live/hub.ts';
import type { LiveOptions } from '../../server/live/options.ts';
import type { Subscription } from '../../server/live/subscription.ts';
import type { Fence } from '../../server/store/index.ts';
import type { PartReader } from '../law/part-reader.ts';
import { writtenTask } from '../server/task-writer.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { evenChance, fakeViewer, testStore, type FakeViewer } from './hub-fixture.ts';

/** A task in a store whose tail loses what the test says, a node that writes to it, and a hub that shows it. */
export async function shownTask(options: Partial<LiveOptions> = {}) {
  const store = await testStore();
  const clock = fakeClock();
  const hub = createLiveHub({ store, clock, chance: evenChance, options });
  const { taskId, execute, read } = await writtenTask(store);
  /** The whole of each part, by its number. */
  const truth = new Map<number, string>();
  const fenceOf = async (part: number): Promise<Fence | undefined> => {
    const lane = (await read()).execution.lanes.open[part];
    return lane && { taskId, lane: lane.lane, epoch: lane.epoch, attempt: lane.attempt, node: lane.node };
  };
  await execute((unit) => unit.decide({ type: 'report.started', payload: {} }));
  return {
    ...{ store, clock, hub, taskId, truth },
    say: (message: string) => execute((unit) => unit.decide({ type: 'report.message', payload: { message } })),
    async open(onRerun?: 'continue'): Promise<number> {
      const part = await execute((unit) => {
        unit.decide({ type: 'report.part.opened', payload: { name: 'answer', kind: 'text' } });
        const opened = unit.aggregate.task.context.openParts.at(-1)?.opened ?? 0;
        unit.parts.noteOpening(opened, onRerun ? { onRerun } : {});
        return opened;
      });
      truth.set(part, '');
      return part;
    },
    async write(part: number, text: string): Promise<void> {
      const fence = await fenceOf(part);
      const before = truth.get(part) ?? '';
      if (!fence) return;
      const [outcome] = (await store.lanes?.flush([{ fence, at: Buffer.byteLength(before), bytes: Buffer.from(text) }])) ?? [];
      if (outcome !== 'ok') throw new Error(`A flush was answered ${JSON.stringify(outcome)}.`);
      truth.set(part, before + text);
    },
    close: (part: number) => execute((unit) => unit.parts.close(part, 'DONE')),
    claim: (node: string) =>
      execute((unit) => {
        unit.record({ type: 'attempt.started', keptOutside: false, retryAt: null });
        unit.record({ type: 'attempt.lost', crashed: false, retryAt: 0, restUntil: 0 });
        return unit.record({ type: 'attempt.claimed', node, startBy: 1 });
      }),
    end: () => execute((unit) => unit.decide({ type: 'report.completed', payload: { result: null } })),
    /** A reader's next connection. */
    connect(reader: PartReader): { readonly viewer: FakeViewer; readonly subscription: Subscription } {
      reader.connect();
      const base = fakeViewer(clock);
      const take = (entries: Parameters<FakeViewer['facts']>[0]): void => {
        for (const { bytes } of entries) reader.take(JSON.parse(Buffer.from(bytes).toString()) as Fact | PartFrame);
        base.facts(entries);
      };
      const viewer: FakeViewer = Object.create(base, {
        facts: { value: take },
        parts: { value: take },
        blocked: { get: () => base.blocked, set: (blocked: boolean) => void (base.blocked = blocked) },
      }) as FakeViewer;
      const parts = askedParts(['parts'], reader.partCursors);
      return { viewer, subscription: hub.subscribe(taskId, viewer, reader.cursor, { parts }) };
    },
  };
}

/** A task, what is written to it, and who is shown it. */
export type ShownTask = Awaited<ReturnType<typeof shownTask>>;
