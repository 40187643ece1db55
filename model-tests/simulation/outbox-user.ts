import { TaskBridgeClientError, type Gate, type TaskBridgeClient } from '../../client/index.ts';
import {
  createOutbox,
  type Outbox,
  type OutboxEntry,
  type OutboxResponse,
  type OutboxTarget,
  type OutboxTicket,
} from '../../client/outbox/index.ts';
import type { JsonObject } from '../../machines/wire/index.ts';
import type { SeededRandom } from '../support/seeded-random.ts';
import type { Entity } from './event-queue.ts';
import type { OutboxPlan, WorkPlan } from './plan.ts';
import type { PlantedBug } from './planted-bug.ts';
import type { SentCommand } from './outbox-check.ts';
import type { SimulatedClock } from './simulated-clock.ts';
import { noLocks } from './simulated-locks.ts';
import type { SimulatedOutboxStore } from './simulated-outbox-store.ts';
import type { AskedQuestion } from './oracle.ts';
import type { World } from './world.ts';

/** One life of a process that has an outbox. */
export interface OutboxLife {
  readonly client: TaskBridgeClient;
  readonly entity: Entity;
  readonly clock: SimulatedClock;
  readonly random: SeededRandom;
  readonly gate: Gate;
  die(): boolean;
}

/** What somebody with an outbox is made of. */
export interface OutboxUserDeps {
  readonly name: string;
  readonly world: World;
  readonly shelf: SimulatedOutboxStore;
  readonly plan: OutboxPlan;
  readonly planted: PlantedBug;
  readonly taskIds: ReadonlyMap<number, string>;
  /** Begins a life where there is none; false while the machine is away. */
  wake(): boolean;
}

type Kept = OutboxTicket<OutboxResponse>;
/** Something that somebody wants to be kept, until it is. */
interface Wish {
  /** Undefined while it cannot be said yet. */
  keep(outbox: Outbox): Promise<Kept> | undefined;
  /** It has become pointless. */
  isPointless(): boolean;
}

const RETRY_MS = 700;

/** Somebody who starts, answers and cancels through outboxes, one after the other, over a shelf that stays. */
export class OutboxUser {
  readonly #deps: OutboxUserDeps;
  readonly #unkept = new Set<Wish>();
  #life: { readonly outbox: Outbox; readonly entity: Entity } | undefined;
  #answers = 0;

  constructor(deps: OutboxUserDeps) {
    this.#deps = deps;
  }

  /** What is not kept yet. */
  get unkept(): number {
    return this.#unkept.size;
  }

  open({ client, entity, clock, random, gate, die }: OutboxLife): void {
    const { shelf, plan, planted, world } = this.#deps;
    const store = shelf.of({ entity, random, die });
    const noting = this.#noting(client, entity);
    const outbox = createOutbox(planted.commands?.(noting) ?? noting, {
      store: planted.shelf?.(store) ?? store,
      locks: plan.locks ? shelf.locks.of(entity) : noLocks(world, entity),
      channels: shelf.channels.of(entity),
      clock,
      chance: { fraction: random.fraction },
      gate,
      limits: { ageMsMax: plan.ageMsMax, restBaseMs: 200, restMaxMs: 2_000, patienceMs: 6_000 },
    });
    this.#life = { outbox, entity };
  }

  /** The process is gone. */
  died(): void {
    if (this.#life) this.#deps.shelf.locks.died(this.#life.entity);
    this.#life = undefined;
  }

  async close(): Promise<void> {
    const life = this.#life;
    this.#life = undefined;
    await life?.outbox.close();
  }

  start(task: number, work: WorkPlan): void {
    const input = { steps: work.steps } as unknown as JsonObject;
    const request = { clientRequestId: `task ${task}`, taskType: work.repeatable ? 'again' : 'once', input };
    this.#wish({ keep: (outbox) => outbox.start(request), isPointless: () => false });
  }

  cancel(task: number): void {
    const { shelf, taskIds } = this.#deps;
    this.#wish({
      keep: (outbox) => {
        const target = this.#targetOf(task, outbox);
        return target === undefined ? undefined : outbox.cancel(target, 'by outbox');
      },
      isPointless: () => !taskIds.has(task) && shelf.check.cameToNothing(`task ${task}`),
    });
  }

  answer({ taskId, suspendId, allowedActions }: AskedQuestion, isAllowed: boolean): void {
    const clientActionId = `${this.#deps.name}/kept ${(this.#answers += 1)}`;
    const actionType = isAllowed ? (allowedActions[0] ?? '') : 'dance';
    this.#wish({ keep: (outbox) => outbox.act(taskId, { suspendId, actionType, clientActionId }), isPointless: () => false });
  }

  /** Takes back what was kept last. */
  withdraw(): void {
    const { world, name, shelf } = this.#deps;
    const last = this.#life?.outbox.getSnapshot().entries.findLast(({ state }) => state === 'queued' || state === 'sending');
    if (!last) return;
    world.tell(name, `takes back ${last.id.slice(0, 4)}`);
    this.#life?.outbox.withdraw(last.id).then((isGone) => isGone && shelf.check.saidOutcome(last.id, 'withdrawn'), this.#expectPassing);
  }

  dismiss(): void {
    this.#life?.outbox.dismiss().catch(this.#expectPassing);
  }

  #targetOf(task: number, outbox: Outbox): OutboxTarget | undefined {
    const clientRequestId = `task ${task}`;
    const isHere = ({ command }: OutboxEntry): boolean => command.type === 'start' && command.request.clientRequestId === clientRequestId;
    return outbox.getSnapshot().entries.some(isHere) ? { clientRequestId } : this.#deps.taskIds.get(task);
  }

  #wish(wish: Wish): void {
    const { world, shelf, wake } = this.#deps;
    const again = (): unknown => world.after(RETRY_MS, world.itself, () => this.#wish(wish));
    this.#unkept.add(wish);
    if (wish.isPointless()) return void this.#unkept.delete(wish);
    const life = wake() ? this.#life : undefined;
    const keeping = life && wish.keep(life.outbox);
    if (!keeping) return void again();
    let isOver = false;
    // Whoever dies before it was said to be kept wants it kept again.
    const look = (): void => {
      if (isOver) return;
      if (life.entity.isDead) again();
      else world.after(RETRY_MS, world.itself, look);
    };
    look();
    keeping.then(
      ({ id, settled }) => {
        isOver = true;
        this.#unkept.delete(wish);
        shelf.check.saidKept(id);
        settled().then(({ state }) => shelf.check.saidOutcome(id, state), this.#expectPassing);
      },
      (error: unknown) => {
        isOver = true;
        this.#expectPassing(error);
        again();
      },
    );
  }

  #noting(client: TaskBridgeClient, entity: Entity): Pick<TaskBridgeClient, 'start' | 'act' | 'cancel'> {
    const { shelf } = this.#deps;
    const sent = (command: SentCommand): void => shelf.check.sent(command, entity.name);
    return {
      start(request, options) {
        sent({ type: 'start', clientRequestId: request.clientRequestId ?? '' });
        return client.start(request, options);
      },
      act(taskId, request, options) {
        sent({ type: 'act', clientActionId: request.clientActionId ?? '' });
        return client.act(taskId, request, options);
      },
      cancel(taskId, reason, options) {
        sent({ type: 'cancel', taskId });
        return client.cancel(taskId, reason, options);
      },
    };
  }

  readonly #expectPassing = (error: unknown): void => {
    const { world, name } = this.#deps;
    const code = error instanceof TaskBridgeClientError ? error.code : undefined;
    // Another process may have dismissed the start that is named.
    if (code === 'CLOSED' || code === 'OUTBOX_STORE_FAILED' || code === 'INVALID_ARGUMENT') return;
    world.fault('an outbox fails in passing only', `${name}: ${error instanceof Error ? error.stack : String(error)}`);
  };
}
