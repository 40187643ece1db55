import type { Clock, Lease, Plan, TakeRequest, WorkRegistry } from '../../server/ports/index.ts';
import type { Memory, TaskRow } from './memory.ts';

/** This store is one bucket. */
const BUCKET = '';

type Ripe = readonly [taskId: string, task: TaskRow];

/** Who works on what. */
export function workOf(needOpen: () => Memory, clock: Clock): WorkRegistry {
  return {
    async take(request) {
      const memory = needOpen();
      const now = clock.now();
      const shown = [...memory.tasks].filter(([, { hiddenUntil }]) => hiddenUntil <= now);
      const due = shown.filter(([, { plan }]) => wakeTime(plan) <= now).sort(([, a], [, b]) => wakeTime(a.plan) - wakeTime(b.plan));
      const ready = shown.filter(([, { plan, taskType }]) => readyTime(plan) <= now && (request.types === 'any' || request.types.includes(taskType)));
      const taken = { due: due.slice(0, request.dueMax), ready: inTurn(memory, without(ready, due), request) };
      for (const [, task] of [...taken.due, ...taken.ready]) task.hiddenUntil = now + request.hideMs;
      return { due: taken.due.map(([taskId]) => taskId), ready: taken.ready.map(([taskId]) => taskId) };
    },

    async renew(node, confirmed, beat) {
      const { leases } = needOpen();
      const before = leases.get(node) ?? 0;
      leases.set(node, beat);
      return [{ bucket: BUCKET, outcome: before < confirmed ? 'reset' : 'renewed' }];
    },

    async leases() {
      return [...needOpen().leases].map(([node, beat]) => ({ bucket: BUCKET, node, beat }));
    },

    async held({ node }, limit, after = '') {
      const taskIds = heldBy(needOpen(), node)
        .filter((taskId) => taskId > after)
        .sort();
      return { taskIds: taskIds.slice(0, limit), next: taskIds.length > limit ? taskIds[limit - 1] : undefined };
    },

    async dropLease(of) {
      const memory = needOpen();
      if (!isAsSeen(memory, of) || heldBy(memory, of.node).length > 0) return false;
      memory.leases.delete(of.node);
      return true;
    },
  };
}

/** Takes a new plan. Nothing is held under a name that nobody watches. */
export function setPlan({ leases }: Memory, task: TaskRow, plan: Plan): void {
  task.plan = plan;
  task.hiddenUntil = 0;
  if (plan.work && 'heldBy' in plan.work && !leases.has(plan.work.heldBy)) leases.set(plan.work.heldBy, 0);
}

/** True where a lease stands as it was seen. */
export function isAsSeen({ leases }: Memory, { node, beat }: Lease): boolean {
  return leases.get(node) === beat;
}

/** Those whose owners' turn it is, one of each owner in every round. */
function inTurn({ turns }: Memory, ready: readonly Ripe[], { readyMax }: TakeRequest): Ripe[] {
  const queues = new Map<string, Ripe[]>();
  for (const each of [...ready].sort(([, a], [, b]) => readyTime(a.plan) - readyTime(b.plan))) {
    const { owner } = each[1];
    queues.set(owner, [...(queues.get(owner) ?? []), each]);
  }
  const taken: Ripe[] = [];
  while (taken.length < readyMax && queues.size > 0) {
    const [owner] = [...queues.keys()].sort((a, b) => (turns.get(a) ?? 0) - (turns.get(b) ?? 0));
    const next = owner === undefined ? undefined : queues.get(owner)?.shift();
    if (owner === undefined || !next) break;
    taken.push(next);
    turns.set(owner, Math.max(0, ...turns.values()) + 1);
    if (queues.get(owner)?.length === 0) queues.delete(owner);
  }
  // Who waits for nothing has no place in the order.
  for (const owner of turns.keys()) if (!queues.has(owner) && !taken.some(([, task]) => task.owner === owner)) turns.delete(owner);
  return taken;
}

function without(ready: readonly Ripe[], due: readonly Ripe[]): Ripe[] {
  const dueIds = new Set(due.map(([taskId]) => taskId));
  return ready.filter(([taskId]) => !dueIds.has(taskId));
}

function heldBy({ tasks }: Memory, node: string): string[] {
  return [...tasks].filter(([, { plan }]) => plan.work && 'heldBy' in plan.work && plan.work.heldBy === node).map(([taskId]) => taskId);
}

function wakeTime({ wakeAt, work }: Plan): number {
  return Math.min(wakeAt ?? Number.POSITIVE_INFINITY, (work && 'heldBy' in work ? work.until : undefined) ?? Number.POSITIVE_INFINITY);
}

function readyTime({ work }: Plan): number {
  return work && 'readyAt' in work ? work.readyAt : Number.POSITIVE_INFINITY;
}
