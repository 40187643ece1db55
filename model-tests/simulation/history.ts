import { createMemory } from '../../adapters/memory/index.ts';
import { Browser } from './browser.ts';
import { Faults } from './faults.ts';
import { Fleet } from './fleet.ts';
import { Network } from './network.ts';
import { RETAINED_MS, type NodeSurroundings } from './node.ts';
import { Person } from './person.ts';
import { isStart, TROUBLE_MS, type Decision, type Plan } from './plan.ts';
import type { Planted } from './planted.ts';
import { Restores } from './restores.ts';
import { ShelfCheck } from './shelf-check.ts';
import { SimulatedShelf } from './simulated-shelf.ts';
import { readToken } from './wallet.ts';
import { Witness, type Asked } from './witness.ts';
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
/** How long everything may take to come to its end once nothing goes wrong any more. */
const QUIET_MS = 120_000;

/** Lets one history happen. */
export async function runHistory(
  plan: Plan,
  { planted = {}, isTold = false }: { readonly planted?: Planted; readonly isTold?: boolean } = {},
): Promise<Outcome> {
  const history = new History(plan, planted, isTold);
  await history.run();
  const { world, witness } = history;
  const facts = [...witness.tasks.values()].reduce((sum, task) => sum + task.facts.length, 0);
  return { violation: world.violation, hash: world.hash, steps: world.steps, facts, lastedMs: world.time, told: world.told ?? [] };
}

class History {
  readonly world: World;
  readonly witness: Witness;
  readonly #plan: Plan;
  readonly #faults: Faults;
  readonly #network: Network;
  readonly #surroundings: NodeSurroundings;
  readonly #fleet: Fleet;
  readonly #persons: Person[];
  readonly #shelves: readonly SimulatedShelf[];
  readonly #restores: Restores | undefined;
  readonly #taskIds = new Map<number, string>();
  readonly #asked: Asked[] = [];
  #tokenNumber = 0;
  #isOver = false;

  constructor(plan: Plan, planted: Planted, isTold: boolean) {
    const { seed, decisions, exclusive, sizes } = plan;
    const world = new World(seed, isTold);
    this.world = world;
    this.#plan = plan;
    this.witness = new Witness(world);
    this.#faults = new Faults(world, decisions);
    this.#network = new Network(world, this.#faults);
    const { witness } = this;
    this.#surroundings = {
      world,
      faults: this.#faults,
      witness,
      memory: createMemory(),
      exclusive,
      sizes,
      planted,
      auth: ({ headers }, clock) => {
        const token = readToken(headers.authorization, { tokenNumber: this.#tokenNumber, time: world.time });
        if (token?.leftMs === undefined || !plan.tokens?.serverKnows) return token && { subject: token.subject };
        return { subject: token.subject, expiresAt: clock.now() + token.leftMs };
      },
    };
    const mayRestore = decisions.some(({ kind }) => kind === 'restore');
    this.#restores = mayRestore ? new Restores(world, witness, this.#surroundings.memory) : undefined;
    this.#fleet = new Fleet(plan.nodes, this.#surroundings, this.#network);
    this.#shelves = this.#openShelves();
    const around = {
      world,
      faults: this.#faults,
      witness,
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
    this.#persons = plan.clients.map((client, index) => new Person(index, client, around));
    witness.onAsked = (asked) => this.#onAsked(asked);
  }

  #openShelves(): readonly SimulatedShelf[] {
    const { world, witness } = this;
    return Array.from({ length: Math.max(-1, ...(this.#plan.outbox?.shelves ?? [])) + 1 }, (_, index) => {
      const check = new ShelfCheck(world, witness);
      check.onStarted = (clientRequestId, taskId) => this.#taskIds.set(Number(clientRequestId.slice('task '.length)), taskId);
      const answered = this.#network.onAnswered;
      this.#network.onAnswered = (request, answer) => {
        answered(request, answer);
        check.answered(request, answer);
      };
      return new SimulatedShelf(`shelf ${index}`, world, this.#faults, check);
    });
  }

  async run(): Promise<void> {
    const { world } = this;
    this.#fleet.start();
    for (const decision of this.#plan.decisions) if ('at' in decision) world.after(decision.at, world.itself, () => this.#do(decision));
    const lastAt = Math.max(0, ...this.#plan.decisions.flatMap((decision) => ('at' in decision ? [decision.at] : [])));
    await world.until(() => world.time > lastAt && this.#unfinished().length === 0, TROUBLE_MS);
    if (!world.violation) await this.#comeToRest();
    this.#isOver = true;
    this.#fleet.end();
  }

  /** Nothing goes wrong any more: everything has to come to its end, and nothing may be left. */
  async #comeToRest(): Promise<void> {
    const { world } = this;
    world.tell('world', 'nothing goes wrong any more');
    this.#faults.isCalm = true;
    this.#fleet.comeToRest();
    for (const person of this.#persons) {
      world.thaw(person.being);
      person.comeBack();
    }
    this.#answerOpenQuestions();
    if (!(await world.until(() => this.#unfinished().length === 0, QUIET_MS)))
      return this.#refuseToWait('everything ends', this.#unfinished());
    for (const check of this.#fleet.actors) check.finish();
    await this.#closePersons();
    if (!(await world.until(() => this.#fleet.leftByClients().length === 0, QUIET_MS)))
      return this.#refuseToWait('nothing is left open', this.#fleet.leftByClients());
    if (this.#plan.removes) await this.#awaitRemoval();
    if (!(await this.#fleet.close())) this.#refuseToWait('nothing is left open', ['a node that closes']);
  }

  async #awaitRemoval(): Promise<void> {
    const { tasks, requests } = this.#surroundings.memory;
    if (!(await this.world.until(() => tasks.size === 0, RETAINED_MS + QUIET_MS)))
      return this.#refuseToWait('ended tasks are removed', [...tasks.keys()]);
    if (requests.size > 0) this.world.fault('ended tasks are removed', `request keys are left of ${[...requests.values()].join()}`);
  }

  async #closePersons(): Promise<void> {
    const { world } = this;
    let open = 0;
    for (const person of this.#persons) {
      open += 1;
      void person.close().then(() => (open -= 1));
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
    for (const { taskId, terminal, facts } of this.witness.tasks.values()) {
      const ledger = this.#surroundings.memory.tasks.get(taskId)?.fields.get('ledger') ?? '';
      if (!terminal) missing.push(`the end of ${taskId} after ${facts.at(-1)?.type}`);
      else if (!ledger.includes('"value":"released"')) missing.push(`the release of ${taskId}: ${ledger}`);
    }
    for (const { check } of this.#shelves) missing.push(...check.pending);
    for (const { name, outbox } of this.#persons) if (outbox && outbox.unkept > 0) missing.push(`${outbox.unkept} that ${name} wants kept`);
    for (const person of this.#persons)
      for (const [index, observer] of person.observers.entries())
        if (!observer.isDone)
          missing.push(`${person.name}.${index}, ${JSON.stringify(observer.shown?.connection)}, dealt with ${observer.dealt}`);
    for (const check of this.#fleet.actors) if (!check.isLevel) missing.push('a live actor');
    return missing;
  }

  #isSettled(task: number): boolean {
    return this.#taskIds.has(task) || this.#shelves.some(({ check }) => check.cameToNothing(`task ${task}`));
  }

  #onAsked(asked: Asked): void {
    const { world } = this;
    const number = this.#asked.push(asked) - 1;
    for (const decision of this.#plan.decisions) {
      if ((decision.kind !== 'answer' && decision.kind !== 'keep answer') || decision.question !== number) continue;
      const person = this.#persons[decision.client];
      world.after(decision.afterMs, world.itself, () =>
        decision.kind === 'answer' ? person?.answer(asked, decision.as) : person?.outbox?.answer(asked, decision.isAllowed),
      );
    }
  }

  /** What nobody answered in time of trouble is answered now, again and again. */
  #answerOpenQuestions(): void {
    if (this.#isOver) return;
    for (const asked of this.#asked) {
      const { open } = this.witness.of(asked.taskId);
      if (open.has(asked.suspendId)) this.#persons[0]?.answer(asked, 'plain');
    }
    this.world.after(2_500, this.world.itself, () => this.#answerOpenQuestions());
  }

  #do(decision: Extract<Decision, { readonly at: number }>): void {
    switch (decision.kind) {
      case 'start':
        return this.#persons[decision.client]?.start(decision.task, decision.work);
      case 'observe':
        return this.#persons[decision.client]?.observe(decision.task, decision.habit);
      case 'cancel':
        return this.#persons[decision.client]?.cancel(decision.task, decision.reason);
      case 'keep start':
      case 'keep cancel':
      case 'withdraw':
      case 'dismiss':
        return this.#doByOutbox(decision);
      case 'stranger':
        return this.#persons[decision.client]?.peek(decision.task);
      case 'client dies':
      case 'client closes':
      case 'client freezes':
      case 'offline':
      case 'blocked':
        return this.#doToPerson(decision);
      case 'restore':
        if (this.#restores?.restore(this.#taskIds.get(decision.task) ?? '', decision.commits)) this.#fleet.cutOff(decision.ms);
        return;
      case 'tokens end':
        // A token that is good no more before its first try is answered cannot be told from one that never was.
        if (this.#persons.some(({ wallet }) => wallet.givenAt > 0 && this.world.time - wallet.givenAt < TOKEN_MS)) return;
        this.#tokenNumber += 1;
        return this.world.tell('world', 'all tokens end');
      default:
        return this.#fleet.do(decision, this.#taskIds);
    }
  }

  #doByOutbox(decision: Extract<Decision, { kind: 'keep start' | 'keep cancel' | 'withdraw' | 'dismiss' }>): void {
    const outbox = this.#persons[decision.client]?.outbox;
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

  #doToPerson(decision: Extract<Decision, { kind: 'client dies' | 'client closes' | 'client freezes' | 'offline' | 'blocked' }>): void {
    const { world } = this;
    const person = this.#persons[decision.client];
    if (!person?.client) return;
    switch (decision.kind) {
      case 'client dies':
        person.die();
        return void world.after(decision.backMs, world.itself, () => person.comeBack());
      case 'client closes':
        return void person.close().then(() => world.after(decision.backMs, world.itself, () => person.comeBack()));
      case 'client freezes':
        return person.freeze(decision.ms);
      case 'offline':
        world.tell(person.name, `is offline for ${decision.ms} ms`);
        return person.goOffline(decision.ms);
      case 'blocked':
        world.tell(person.name, `is without ${decision.transport} for ${decision.ms} ms`);
        return void person.awayUntil.set(decision.transport, world.time + decision.ms);
    }
  }
}
