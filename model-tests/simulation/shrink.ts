import { runHistory } from './history.ts';
import { isStart, type Decision, type Plan, type WorkPlan } from './plan.ts';
import type { PlantedBug } from './planted-bug.ts';

/** A plan that breaks one rule, and as little else as could be found. */
export interface Shrunk {
  readonly plan: Plan;
  readonly rule: string;
  /** Histories that were tried. */
  readonly tries: number;
}

/** Most histories that are tried for one plan. */
const TRIES_MAX = 1_500;

/** Leaves out decisions, then steps of work, nodes and clients, as long as the same rule is broken. */
export async function shrink(plan: Plan, rule: string, planted: PlantedBug = {}): Promise<Shrunk> {
  let best = plan;
  let tries = 0;

  async function breaks(candidate: Plan): Promise<boolean> {
    if (tries >= TRIES_MAX) return false;
    tries += 1;
    const { violation } = await runHistory(candidate, { planted });
    if (violation?.rule !== rule) return false;
    best = candidate;
    return true;
  }

  let before;
  do {
    before = best;
    for (let size = Math.max(1, best.decisions.length >> 1); size >= 1; size >>= 1) await leaveOut(size);
    await shortenWork();
    await calmDown();
  } while (best !== before && tries < TRIES_MAX);
  return { plan: best, rule, tries };

  async function leaveOut(size: number): Promise<void> {
    for (let at = best.decisions.length - size; at >= 0; at -= size)
      await breaks({ ...best, decisions: [...best.decisions.slice(0, at), ...best.decisions.slice(at + size)] });
  }

  async function shortenWork(): Promise<void> {
    for (const task of new Set(best.decisions.flatMap((decision) => (isStart(decision) ? [decision.task] : [])))) {
      const work = workOf(best.decisions, task);
      for (let at = work.steps.length - 1; at >= 0; at -= 1) {
        const now = workOf(best.decisions, task);
        await breaks({
          ...best,
          decisions: withWork(best.decisions, task, { ...now, steps: now.steps.filter((_, index) => index !== at) }),
        });
      }
    }
  }

  async function calmDown(): Promise<void> {
    const { nodes, clients, sizes } = best;
    if (nodes.some((offMs) => offMs !== 0)) await breaks({ ...best, nodes: nodes.map(() => 0) });
    if (best.nodes.length > 1) await breaks({ ...best, nodes: best.nodes.slice(1) });
    for (const transports of [['poll'], ['sse', 'poll'], ['ws', 'poll']] as const)
      if (clients.some((client) => client.transports.length > transports.length))
        await breaks({ ...best, clients: best.clients.map((client) => ({ ...client, transports })) });
    for (const [name, plenty] of Object.entries(PLENTY))
      if (sizes[name as keyof typeof sizes] !== plenty) await breaks({ ...best, sizes: { ...best.sizes, [name]: plenty } });
  }
}

const PLENTY = {
  retainedFactsMax: 1_000,
  hotTasksMax: 10_000,
  appendFactsMax: 256,
  viewerBytesMax: 262_144,
  pageFactsMax: 1_000,
  pollBytesMax: 4_194_304,
  pollEventsMax: 100,
  undeliveredMax: 1_000,
};

function workOf(decisions: readonly Decision[], task: number): WorkPlan {
  for (const decision of decisions) if (isStart(decision) && decision.task === task) return decision.work;
  return { steps: [], repeatable: true };
}

/** A request that is repeated has the same content. */
function withWork(decisions: readonly Decision[], task: number, work: WorkPlan): Decision[] {
  return decisions.map((decision) => (isStart(decision) && decision.task === task ? { ...decision, work } : decision));
}
