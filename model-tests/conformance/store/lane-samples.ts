import { eventId, type EventId } from 'taskbridge/wire';
import type { ClosedLane, Epoch, Fence, FlushOutcome, LaneChanges, Lanes, Store, TailListener } from 'taskbridge/server/store';
import { commitOf, sampleTask, type StoreUnderTest } from './samples.ts';
import { present, same } from '../suite/claim.ts';

export const asText = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString('utf8');
export const asBytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const firstEpoch = (mark = 'first'): Epoch => ({ mark, was: null, from: 0 });

/** The lane of the part that the `n`th fact opened. */
export const laneOf = (n: number, ms = 1_790_000_000_000 + n): EventId => eventId(n, ms);

/** The store under test and its lanes, and tasks to try them on. */
export function laneSamples(underTest: () => StoreUnderTest) {
  const store = (): Store => underTest().store;
  const lanes = (of = store()): Lanes => present(of.lanes, 'the store’s `lanes`');

  /** A task, and what is done with its lanes: one commit after the other. */
  async function withTask() {
    const { taskId, requestKey } = sampleTask();
    await store().create({ ...sampleTask({ requestKey }), taskId });
    let revision = 1;
    const commit = async (changes: LaneChanges, part: Parameters<typeof commitOf>[2] = {}, of = store()) => {
      const outcome = await of.append(commitOf(taskId, revision, { ...part, lanes: changes }));
      if (outcome === 'committed') revision += 1;
      return outcome;
    };
    const fence = (part: Partial<Fence> = {}): Fence => ({
      taskId,
      lane: laneOf(1),
      epoch: firstEpoch(),
      attempt: 1,
      node: 'a-node',
      ...part,
    });
    const opened = async (part: Partial<Fence> = {}): Promise<Fence> => {
      const made = fence(part);
      same(await commit({ open: [made] }), 'committed');
      return made;
    };
    const write = async (under: Fence, at: number, bytes: string | Uint8Array, of = store()): Promise<FlushOutcome | undefined> =>
      (await lanes(of).flush([{ fence: under, at, bytes: typeof bytes === 'string' ? asBytes(bytes) : bytes }]))[0];
    const sealed = async (under: Fence, keeps: boolean): Promise<ClosedLane> => {
      const bytes = await lanes().seal(under);
      return { lane: under.lane, bytes: typeof bytes === 'number' ? bytes : Number.NaN, keeps };
    };
    const whole = async (lane = laneOf(1), of = store()) => {
      const page = await lanes(of).readPart(taskId, lane, 0, 1e9);
      return page && { text: asText(page.bytes), length: page.length, mark: page.epoch.mark };
    };
    const openLanes = async (of = store()) =>
      (await lanes(of).newest([taskId]))[0]?.lanes.map(({ lane, epoch, length }) => [lane, epoch.mark, length]);
    return { taskId, requestKey, commit, fence, opened, write, sealed, whole, openLanes, revision: () => revision };
  }

  return { store, lanes, withTask };
}

/** A listener that writes down what it hears, a line each, and a way to wait until it heard that many. */
export function listening() {
  const told: string[] = [];
  let wake: (() => void) | undefined;
  const tell = (line: string): void => {
    told.push(line);
    wake?.();
  };
  const listener: TailListener = {
    committed: (_, entries) => entries.forEach(({ eventId: id }) => tell(`fact ${Number.parseInt(id, 10)}`)),
    interrupted: () => undefined,
    part: (_, lane, { mark }, at, bytes, latest) => tell(`${lane} ${mark} at ${at}${latest ? ', a value' : ''}: ${asText(bytes)}`),
  };
  return {
    listener,
    told,
    async lines(expected: number): Promise<void> {
      while (told.length < expected) await new Promise<void>((resolve) => (wake = resolve));
    },
  };
}
