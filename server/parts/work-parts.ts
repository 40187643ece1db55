import type { AttemptRef, OpenedPart, WorkParts } from '../ports/executor.ts';
import type { Lanes } from '../ports/lanes.ts';
import type { CommandProcessor } from '../task/command-processor.ts';
import { asTaskBridgeError } from '../task/command-processor.ts';
import type { TaskRecord } from '../task/task-record.ts';
import { fenceOf, type OpenPartLane } from './lane-record.ts';
import type { PartFlusher } from './part-flusher.ts';
import { laneValue } from './lane-value.ts';
import { laneBytes } from './seal-lanes.ts';

/** What the parts of an attempt's work are written with. */
export interface WorkPartsDeps {
  readonly lanes: Lanes;
  readonly flusher: PartFlusher;
  readonly processor: Pick<CommandProcessor, 'known' | 'read'>;
}

/** What the work of an attempt does with its parts beside its reports. */
export function workParts({ taskId, attempt }: AttemptRef, { lanes, flusher, processor }: WorkPartsDeps): WorkParts {
  const opened = ([part, lane]: readonly [string, OpenPartLane]): OpenedPart => ({
    part: Number(part),
    fence: fenceOf(taskId, lane),
    ...(lane.key !== undefined && { key: lane.key }),
  });
  const ownIn = ({ execution }: TaskRecord): [string, OpenPartLane][] =>
    Object.entries(execution.lanes.open).filter(([, lane]) => lane.attempt === attempt);
  return {
    async opened(of, after) {
      const find = (record: TaskRecord | undefined): OpenedPart | undefined => {
        const found = record && ownIn(record).find(([part, { key, epoch }]) => (key === of || Number(part) === of) && epoch.mark !== after);
        return found && opened(found);
      };
      // What this node has just committed it knows; another node's commit it reads.
      return find(processor.known(taskId)) ?? find(await processor.read(taskId));
    },
    async openedBy(keyPrefix) {
      return ownIn(await processor.read(taskId))
        .filter(([, { key }]) => key?.startsWith(keyPrefix))
        .map(opened);
    },
    async left(name) {
      const record = await processor.read(taskId);
      const { openParts } = record.aggregate.task.context;
      const named = new Set(openParts.filter((part) => part.name === name).map((part) => String(part.opened)));
      return ownIn(record)
        .filter(([part, { isLeft }]) => isLeft === true && named.has(part))
        .map(opened);
    },
    async read({ fence }) {
      const text = fence.latest
        ? laneValue(lanes, taskId, fence.lane).then((value) => value?.text)
        : laneBytes(lanes, fence, fence.epoch.from).then((bytes) => bytes?.toString('utf8'));
      return text.catch((error: unknown) => {
        throw asTaskBridgeError(error);
      });
    },
    flush: (flush) =>
      flusher.flush(flush).catch((error: unknown) => {
        throw asTaskBridgeError(error);
      }),
  };
}
