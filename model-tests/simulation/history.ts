import { createMemory } from '../../adapters/memory/index.ts';
import { Browser } from './browser.ts';
import { Faults } from './faults.ts';
import { SimulatedCluster } from './simulated-cluster.ts';
import { Network } from './network.ts';
import { RETAINED_MS, type NodeDeps } from './node.ts';
import { SimulatedUser } from './simulated-user.ts';
import { PartViewer } from './part-viewer.ts';
import { isStart, TROUBLE_MS, type Decision, type Plan } from './plan.ts';
import type { PlantedBug } from './planted-bug.ts';
import { StoreRollback } from './store-rollback.ts';
import { ListCheck } from './list-check.ts';
import { checkShares, countsExactly, unevenOwners } from './share-check.ts';
import { OutboxCheck } from './outbox-check.ts';
import { SimulatedOutboxStore } from './simulated-outbox-store.ts';
import { readToken } from './token-source.ts';
import { Oracle, type AskedQuestion } from './oracle.ts';
import { World, type Violation } from './world.ts';

/** How one history went. */
export interface Outcome {
  readonly violation: Violation | undefined;
  readonly hash: string;
  /** Things that happened. */
  readonly steps: number;
  /** Facts that were written. */
  readonly facts: number;
  /** How long it was, in milliseconds of the world. */
  readonly lastedMs: number;
  readonly told: readonly string[];
}

/** The shortest life of a token, in milliseconds: longer than the time that any one try may take. */
const TOKEN_MS = 4_500;
/** How long everything may take to come to its end once nothing goes wrong any more: work that crashes its process rests for minutes in all. */
const QUIET_MS = 600_000;

/** Lets one history happen. */
export async function runHistory(
  plan: Plan,
  { planted = {}, isTold = false }: { readonly planted?: PlantedBug; readonly isTold?: boolean } = {},
): Promise<Outcome> {
  const history = new History(plan, planted, isTold);
  await history.run();
  const { world, oracle } = history;
  const facts = [...oracle.tasks.values()].reduce((sum, task) => sum + task.facts.length, 0);
  return { violation: world.violation, hash: world.hash, steps: world.steps, facts, lastedMs: world.time, told: world.told ?? [] };
}

class History {
  readonly world: World;
  readonly oracle: Oracle;
  readonly #plan: Plan;
  readonly #faults: Faults;
  readonly #network: Network;
  readonly #deps: NodeDeps;
  readonly #cluster: SimulatedCluster;
  readonly #users: SimulatedUser[];
  readonly #shelves: readonly SimulatedOutboxStore[];
  readonly #rollback: StoreRollback | undefined;
  readonly #lists: ListCheck;
  readonly #taskIds = new Map<number, string>();
  readonly #asked: AskedQuestion[] = [];
  readonly #partViewers: PartViewer[] = [];
  #tokenNumber = 0;
  #isOver = false;

  constructor(plan: Plan, planted: PlantedBug, isTold: boolean) {
    const { seed, decisions, exclusive, sizes, factBytesMax } = plan;
    const world = new World(seed, isTold);
    this.world = world;
    this.#plan = plan;
    this.oracle = new Oracle(world, exclusive, plan.runsAgainWithinMs);
    this.#faults = new Faults(world, decisions);
    this.#network = new Network(world, this.#faults);
    const { oracle } = this;
    this.#deps = {
      world,
      faults: this.#faults,
      oracle,
      memory: createMemory(),
      storeClock: { offMs: 0 },
      slots: plan.slots,
      exclusive,
      sizes,
      factBytesMax,
      planted,
      auth: ({ headers }, clock) => {
        const token = readToken(headers.authorization, { tokenNumber: this.#tokenNumber, time: world.time });
        if (token?.leftMs === undefined || !plan.tokens?.serverKnows) return token && { subject: token.subject };
        return { subject: token.subject, expiresAt: clock.now() + token.leftMs };
      },
    };
    const { memory } = this.#deps;
    this.#lists = new ListCheck(world, memory, (store) => planted.way?.(store, memory) ?? store);
    const mayRestore = decisions.some(({ kind }) => kind === 'restore' || kind === 'lose bytes');
    this.#rollback = mayRestore ? new StoreRollback(world, oracle, memory) : undefined;
    this.#cluster = new SimulatedCluster(plan.nodes, this.#deps, this.#network);
    this.#shelves = this.#openShelves();
    const around = {
      world,
      faults: this.#faults,
      oracle,
      network: this.#network,
      sizes,
      planted,
      browser: plan.tabs ? new Browser(world, planted) : undefined,
      outbox: plan.outbox,
      tokens: plan.tokens,
      shelves: this.#shelves,
      taskIds: this.#taskIds,
      tokenNumber: () => this.#tokenNumber,
    };
    this.#users = plan.clients.map((client, index) => new SimulatedUser(index, client, around));
    oracle.onAsked = (asked) => this.#onAsked(asked);
  }

  #openShelves(): readonly SimulatedOutboxStore[] {
    const { world, oracle } = this;
    return Array.from({ length: Math.max(-1, ...(this.#plan.outbox?.shelves ?? [])) + 1 }, (_, index) => {
      const check = new OutboxCheck(world, oracle);
      check.onStarted = (clientRequestId, taskId) => this.#taskIds.set(Number(clientRequestId.slice('task '.length)), taskId);
      const answered = this.#network.onAnswered;
      this.#network.onAnswered = (request, answer) => {
        answered(request, answer);
        check.answered(request, answer);
      };
      return new SimulatedOutboxStore(`shelf ${index}`, world, this.#faults, check);
    });
  }

  async run(): Promise<void> {
    const { world } = this;
    this.#cluster.start();
    for (const decision of this.#plan.decisions) if ('at' in decision) world.after(decision.at, world.itself, () => this.#do(decision));
    const lastAt = Math.max(0, ...this.#plan.decisions.flatMap((decision) => ('at' in decision ? [decision.at] : [])));
    await world.until(() => world.time > lastAt && this.#unfinished().length === 0, TROUBLE_MS);
    if (!world.violation) await this.#comeToRest();
    this.#isOver = true;
    this.#cluster.end();
  }

  /** Nothing goes wrong any more: everything has to come to its end, and nothing may be left. */
  async #comeToRest(): Promise<void> {
    const { world } = this;
    world.tell('world', 'nothing goes wrong any more');
    this.#faults.isCalm = true;
    this.#cluster.comeToRest();
    for (const user of this.#users) {
      world.thaw(user.entity);
      user.comeBack();
    }
    for (const viewer of this.#partViewers) viewer.calmDown();
    this.#answerOpenQuestions();
    if (!(await world.until(() => this.#unfinished().length === 0, QUIET_MS)))
      return this.#refuseToWait('everything ends', this.#unfinished());
    for (const check of this.#cluster.actors) check.finish();
    const { memory, planted } = this.#deps;
    await this.#lists.look();
    if (countsExactly(this.#plan) && !(await world.until(() => unevenOwners(memory).length === 0, QUIET_MS)))
      return this.#refuseToWait('shares are counted again where they are in doubt', unevenOwners(memory));
    await checkShares(world, memory, (store) => planted?.way?.(store, memory) ?? store);
    await this.#closePersons();
    if (!(await world.until(() => this.#cluster.leftByClients().length === 0, QUIET_MS)))
      return this.#refuseToWait('nothing is left open', this.#cluster.leftByClients());
    if (this.#plan.removes) await this.#awaitRemoval();
    if (!(await this.#cluster.close())) this.#refuseToWait('nothing is left open', ['a node that closes']);
  }

  async #awaitRemoval(): Promise<void> {
    const { tasks, requests } = this.#deps.memory;
    if (!(await this.world.until(() => tasks.size === 0, RETAINED_MS + QUIET_MS)))
      return this.#refuseToWait('ended tasks are removed', [...tasks.keys()]);
    if (requests.size > 0) this.world.fault('ended tasks are removed', `request keys are left of ${[...requests.values()].join()}`);
  }

  async #closePersons(): Promise<void> {
    const { world } = this;
    let open = 0;
    for (const user of this.#users) {
      open += 1;
      void user.close().then(() => (open -= 1));
    }
    if (!(await world.until(() => open === 0, 10_000))) this.#refuseToWait('nothing is left open', ['a client that closes']);
  }

  #refuseToWait(rule: string, missing: readonly string[]): void {
    if (!this.world.violation) this.world.fault(rule, `still waiting for ${missing.join('; ')}`);
  }

  #unfinished(): string[] {
    const starts = new Set(this.#plan.decisions.flatMap((decision) => (isStart(decision) ? [decision.task] : [])));
    const missing = [...starts].flatMap((task) => (this.#isSettled(task) ? [] : [`task ${task}, which is not there`]));
    // Also those of which nobody knows, because their start was taken back once it was sent.
    for (const { taskId, terminal, facts } of this.oracle.tasks.values()) {
      // Whatever ended long ago may have been removed.
      const ledger = this.#deps.memory.tasks.get(taskId)?.fields.get('ledger');
      if (!terminal) missing.push(`the end of ${taskId} after ${facts.at(-1)?.type}`);
      else if (ledger?.includes('"value":"released"') === false) missing.push(`the release of ${taskId}: ${ledger}`);
    }
    for (const { check } of this.#shelves) missing.push(...check.pending);
    for (const { name, outbox } of this.#users) if (outbox && outbox.unkept > 0) missing.push(`${outbox.unkept} that ${name} wants kept`);
    for (const user of this.#users)
      for (const [index, observer] of user.observers.entries())
        if (!observer.isDone)
          missing.push(`${user.name}.${index}, ${JSON.stringify(observer.shown?.connection)}, dealt with ${observer.dealt}`);
        else if (observer.reading.length > 0) missing.push(`${user.name}.${index}, who reads parts ${observer.reading.join()}`);
    for (const { isDone, name } of this.#partViewers) if (!isDone) missing.push(`${name}, who is shown parts`);
    for (const check of this.#cluster.actors) if (!check.isLevel) missing.push('a live actor');
    return missing;
  }

  #isSettled(task: number): boolean {
    return this.#taskIds.has(task) || this.#shelves.some(({ check }) => check.cameToNothing(`task ${task}`));
  }

  #onAsked(asked: AskedQuestion): void {
    const { world } = this;
    void this.#lists.look();
    const number = this.#asked.push(asked) - 1;
    for (const decision of this.#plan.decisions) {
      if ((decision.kind !== 'answer' && decision.kind !== 'keep answer') || decision.question !== number) continue;
      const user = this.#users[decision.client];
      world.after(decision.afterMs, world.itself, () =>
        decision.kind === 'answer' ? user?.answer(asked, decision.as) : user?.outbox?.answer(asked, decision.isAllowed),
      );
    }
  }

  /** What nobody answered in time of trouble is answered now, again and again. */
  #answerOpenQuestions(): void {
    if (this.#isOver) return;
    for (const asked of this.#asked) {
      const { open } = this.oracle.of(asked.taskId);
      if (open.has(asked.suspendId)) this.#users[0]?.answer(asked, 'plain');
    }
    this.world.after(2_500, this.world.itself, () => this.#answerOpenQuestions());
  }

  #do(decision: Extract<Decision, { readonly at: number }>): void {
    void this.#lists.look();
    switch (decision.kind) {
      case 'start':
        return this.#users[decision.client]?.start(decision.task, decision.work);
      case 'observe':
        return this.#users[decision.client]?.observe(decision.task, decision.habit);
      case 'cancel':
        return this.#users[decision.client]?.cancel(decision.task, decision.reason);
      case 'keep start':
      case 'keep cancel':
      case 'withdraw':
      case 'dismiss':
        return this.#doByOutbox(decision);
      case 'stranger':
        return this.#users[decision.client]?.peek(decision.task);
      case 'client dies':
      case 'client closes':
      case 'client freezes':
      case 'offline':
      case 'blocked':
      case 'proxy speaks':
      case 'page freezes':
        return this.#doToPerson(decision);
      case 'client clock':
        this.world.tell('world', `sets the clock of client ${decision.client} by ${decision.byMs} ms`);
        return this.#users[decision.client]?.setClock(decision.byMs);
      case 'restore':
        if (this.#rollback?.restore(this.#taskIds.get(decision.task) ?? '', decision.commits)) this.#cluster.cutOff(decision.ms);
        return;
      case 'lose bytes':
        if (this.#rollback?.loseBytes(this.#taskIds.get(decision.task) ?? '', decision.flushes)) this.#cluster.cutOff(decision.ms);
        return;
      case 'watch parts':
        return this.#showParts(decision);
      case 'store gone':
        this.world.tell('store', `is out of reach for ${decision.ms} ms`);
        return this.#cluster.cutOff(decision.ms);
      case 'store clock':
        this.world.tell('store', `has its clock set by ${decision.byMs} ms`);
        return void (this.#deps.storeClock.offMs += decision.byMs);
      case 'tokens end':
        // A token that is good no more before its first try is answered cannot be told from one that never was.
        if (this.#users.some(({ tokenSource }) => tokenSource.givenAt > 0 && this.world.time - tokenSource.givenAt < TOKEN_MS)) return;
        this.#tokenNumber += 1;
        return this.world.tell('world', 'all tokens end');
      default:
        return this.#cluster.do(decision, this.#taskIds);
    }
  }

  #showParts({ task, habit }: Extract<Decision, { kind: 'watch parts' }>): void {
    const { world, oracle } = this;
    const name = `viewer ${this.#partViewers.length}`;
    const viewer = new PartViewer({ name, world, oracle, habit, network: this.#network, taskId: () => this.#taskIds.get(task) });
    this.#partViewers.push(viewer);
    viewer.begin();
  }

  #doByOutbox(decision: Extract<Decision, { kind: 'keep start' | 'keep cancel' | 'withdraw' | 'dismiss' }>): void {
    const outbox = this.#users[decision.client]?.outbox;
    switch (decision.kind) {
      case 'keep start':
        return outbox?.start(decision.task, decision.work);
      case 'keep cancel':
        return outbox?.cancel(decision.task);
      case 'withdraw':
        return outbox?.withdraw();
      case 'dismiss':
        return outbox?.dismiss();
    }
  }

  #doToPerson(
    decision: Extract<
      Decision,
      { kind: 'client dies' | 'client closes' | 'client freezes' | 'offline' | 'blocked' | 'proxy speaks' | 'page freezes' }
    >,
  ): void {
    const { world } = this;
    const user = this.#users[decision.client];
    if (!user?.client) return;
    switch (decision.kind) {
      case 'client dies':
        user.die();
        return void world.after(decision.backMs, world.itself, () => user.comeBack());
      case 'client closes':
        return void user.close().then(() => world.after(decision.backMs, world.itself, () => user.comeBack()));
      case 'client freezes':
        return user.freeze(decision.ms);
      case 'page freezes':
        return user.freezePage(decision.ms);
      case 'proxy speaks':
        return user.meetProxy(decision.status, decision.ms);
      case 'offline':
        world.tell(user.name, `is offline for ${decision.ms} ms`);
        return user.goOffline(decision.ms);
      case 'blocked':
        world.tell(user.name, `is without ${decision.transport} for ${decision.ms} ms`);
        return void user.awayUntil.set(decision.transport, world.time + decision.ms);
    }
  }
}
