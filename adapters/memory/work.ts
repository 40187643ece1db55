import type { Clock, Lease, Plan, WorkRegistry } from '../../server/ports/index.ts';
import type { Memory, TaskRow } from './memory.ts';

/** This store is one bucket. */
const BUCKET = '';

/** Who works on what. */
export function workRegistryOf(needOpen: () => Memory, clock: Clock): WorkRegistry {
  return {
    async take(request) {
      const { due, ready } = needOpen().schedule.take(clock.now(), request);
      return { due: due.map(({ taskId }) => taskId), ready: ready.map(({ taskId }) => taskId) };
    },

    async renew(node, confirmed, beat) {
      const { leases } = needOpen();
      const before = leases.get(node) ?? 0;
      leases.set(node, Math.max(before, beat));
      return [{ bucket: BUCKET, outcome: before < confirmed ? 'reset' : 'renewed' }];
    },

    async leases() {
      return [...needOpen().leases].map(([node, beat]) => ({ bucket: BUCKET, node, beat }));
    },

    async held({ node }, limit, after = '0') {
      const page: string[] = [];
      let last = 0;
      // Tasks stand in the order in which the node got them.
      for (const [taskId, place] of needOpen().held.get(node) ?? []) {
        if (place <= Number(after)) continue;
        if (page.length >= limit) return { taskIds: page, next: String(last) };
        page.push(taskId);
        last = place;
      }
      return { taskIds: page, next: undefined };
    },

    async dropLease(of) {
      const memory = needOpen();
      if (!isAsSeen(memory, of) || memory.held.has(of.node)) return false;
      memory.leases.delete(of.node);
      return true;
    },
  };
}

/** Takes the plan of a task that is new, or another one. Nothing is held under a name that nobody watches. */
export function setPlan(memory: Memory, task: TaskRow, plan: Plan, now: number): void {
  const [before, node] = [holderOf(task.plan), holderOf(plan)];
  if (before !== node) letGo(memory, task);
  task.plan = plan;
  memory.schedule.enter(task, now);
  if (node === undefined) return;
  if (!memory.leases.has(node)) memory.leases.set(node, 0);
  const held = memory.held.get(node) ?? new Map<string, number>();
  memory.held.set(node, held);
  if (!held.has(task.taskId)) held.set(task.taskId, (memory.holds += 1));
}

/** Forgets the plan of a task that goes. */
export function dropPlan(memory: Memory, task: TaskRow): void {
  letGo(memory, task);
  memory.schedule.leave(task);
}

/** True where a lease stands as it was seen. */
export function isAsSeen({ leases }: Memory, { bucket, node, beat }: Lease): boolean {
  return bucket === BUCKET && leases.get(node) === beat;
}

function letGo({ held }: Memory, { taskId, plan }: TaskRow): void {
  const node = holderOf(plan);
  if (node === undefined) return;
  const tasks = held.get(node);
  tasks?.delete(taskId);
  if (tasks?.size === 0) held.delete(node);
}

/** Who holds a task by the rows of his node: a hold that has a date stands for itself. */
function holderOf({ work }: Plan): string | undefined {
  return work && 'heldBy' in work && work.until === undefined ? work.heldBy : undefined;
}
