import type { Memory } from '../../adapters/memory/index.ts';
import { createCore, type Core } from '../../server/core.ts';
import { createLiveHub, type LiveHub } from '../../server/live/hub.ts';
import type { AuthContextResolver, Logger, MetricsSink } from '../../server/ports/index.ts';
import { taskSettings } from '../../server/task/settings.ts';
import { entity, type Entity } from './event-queue.ts';
import { createNodeServer, type NodeServer } from './node-server.ts';
import type { Faults } from './faults.ts';
import type { PlantedBug } from './planted-bug.ts';
import type { Sizes } from './plan.ts';
import { scriptedWork } from './scripted-work.ts';
import { simulatedClock, type SimulatedClock } from './simulated-clock.ts';
import { simulatedStore, type SimulatedStore } from './simulated-store.ts';
import type { Oracle } from './oracle.ts';
import { CRASHES_MAX, LEASE_MS, type WorkCheck } from './work-check.ts';
import type { World } from './world.ts';

/** How long a task stays after its end, in milliseconds: longer than any history, unless it waits for that. */
export const RETAINED_MS = 150_000;

/** What every node of a history shares. */
export interface NodeDeps {
  readonly world: World;
  readonly faults: Faults;
  readonly oracle: Oracle;
  readonly memory: Memory;
  readonly storeClock: { offMs: number };
  /** Handlers that a node runs at once. */
  readonly slots: number | undefined;
  readonly exclusive: boolean;
  readonly sizes: Sizes;
  readonly factBytesMax: number | undefined;
  /** Asked with the clock of the node. */
  readonly auth: (request: Parameters<AuthContextResolver>[0], clock: SimulatedClock) => ReturnType<AuthContextResolver>;
  readonly planted: PlantedBug;
}

/** One life of one node: the real core and hub, as a bridge puts them together, in a simulated process. */
export class SimulatedNode {
  readonly entity: Entity;
  readonly clock: SimulatedClock;
  readonly store: SimulatedStore;
  readonly hub: LiveHub;
  readonly core: Core;
  readonly server: NodeServer;
  isOpen = false;
  isClosed = false;
  readonly #work: WorkCheck;
  #closing: Promise<void> | undefined;

  constructor(name: string, clockOffMs: number, deps: NodeDeps, crash: (node: SimulatedNode) => void) {
    const { world, faults, oracle, memory, storeClock, slots, exclusive, sizes, factBytesMax, auth, planted } = deps;
    this.entity = entity(name);
    oracle.work.born(name, this.entity);
    this.#work = oracle.work;
    this.clock = simulatedClock(world, this.entity, clockOffMs);
    const { entity: itself, clock } = this;
    const random = world.random(`node ${name}`);
    const chance = { hex: random.hex, fraction: random.fraction };
    const crashThis = (): void => crash(this);
    this.store = simulatedStore({
      world,
      faults,
      oracle,
      memory,
      storeClock,
      exclusive,
      entity: itself,
      name,
      crash: crashThis,
      freeze: () => this.freeze(500 + random.fraction() * 8_000, world),
      plant: planted.store,
    });
    const store = planted.way?.(this.store, memory) ?? this.store;
    const executor = scriptedWork({ world, faults, oracle, entity: itself, name, clock, slots, crash: crashThis });
    const logger: Logger = {
      warn: (message) => world.remark(name, () => `warns: ${message}`),
      error: (message, fields) =>
        world.fault('no errors are logged', `${message} ${String((fields?.['error'] as Error | undefined)?.stack)}`),
    };
    const metrics: Required<MetricsSink> = {
      incrementCounter: () => undefined,
      setGauge: () => undefined,
      observeHistogram: () => undefined,
    };
    const hub = createLiveHub({
      store,
      clock,
      chance,
      logger,
      options: {
        heartbeatMs: 4_000,
        sseHeartbeatMs: 3_000,
        stalledMs: 8_000,
        subscribeMs: 3_000,
        viewerBytesMax: sizes.viewerBytesMax,
        pollBytesMax: sizes.pollBytesMax,
      },
      onInterrupted: () => this.core.compareHeld(),
    });
    this.hub = planted.hub?.(hub) ?? hub;
    this.core = createCore({
      store,
      executors: [executor],
      attachments: undefined,
      ownership: {},
      actions: undefined,
      contracts: { typeOf: () => undefined, names: () => [] },
      metrics,
      logger,
      clock,
      chance,
      settings: taskSettings({
        startWithinMs: 20_000,
        executorTimeoutMs: 2_000,
        effectRetryMs: 300,
        cancelGraceMs: 3_000,
        leaseMs: LEASE_MS,
        crashesMax: CRASHES_MAX,
        reconcileMs: 1_500,
        retainedAfterEndMs: RETAINED_MS,
        retainedFactsMax: sizes.retainedFactsMax,
        hotTasksMax: sizes.hotTasksMax,
        appendFactsMax: sizes.appendFactsMax,
        ...(factBytesMax !== undefined && { factBytesMax }),
      }),
      inspect: undefined,
      committed: () => undefined,
      listen: (taskId, onCommit) => hub.listen(taskId, onCommit),
      verbsBy: (service, caller) => ({
        act: (taskId, action) => service.act(caller, taskId, action),
        cancel: (taskId, reason) => service.cancel(caller, taskId, reason),
      }),
      interrupted: () => hub.interrupted(),
    });
    this.server = createNodeServer({
      service: this.core.service,
      hub: this.hub,
      replayFactsMax: sizes.pageFactsMax,
      auth: (request) => auth(request, clock),
      clock,
      chance,
      logger,
    });
  }

  /** Rejects where the store fails it. */
  async start(): Promise<void> {
    await this.store.open();
    await this.core.start();
    this.isOpen = true;
  }

  /** As a bridge closes; again, it is the same close. */
  close(drainMs: number): Promise<void> {
    return (this.#closing ??= this.#close(drainMs));
  }

  async #close(drainMs: number): Promise<void> {
    this.#work.closes(this.entity.name);
    this.server.close();
    // Until then it answers whoever still comes.
    await Promise.all([this.hub.close({ spreadMs: 200 }), this.core.close(drainMs)]);
    this.isOpen = false;
    await this.store.close();
    this.isClosed = true;
  }

  freeze(ms: number, world: World): void {
    if (this.entity.isDead) return;
    world.tell(this.entity.name, `freezes for ${Math.round(ms)} ms`);
    this.entity.frozenUntil = Math.max(this.entity.frozenUntil, world.time + ms);
  }
}
