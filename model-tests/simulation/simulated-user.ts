import { createTaskBridgeClient, TaskBridgeClientError, type AuthProvider, type Gate, type TaskBridgeClient } from '../../client/index.ts';
import { multiplexed, type SocketPort } from '../../client/transports/index.ts';
import type { TabSockets } from '../../client/tabs/index.ts';
import type { TransportName, JsonObject } from '../../machines/wire/index.ts';
import type { SeededRandom } from '../support/seeded-random.ts';
import { entity, type Entity } from './event-queue.ts';
import { checkCheckpoint } from './checkpoint-check.ts';
import { clientParts } from './client-part-check.ts';
import { clientLimits } from './client-limits.ts';
import { Observer } from './observer.ts';
import { OutboxUser } from './outbox-user.ts';
import type { AnswerKind, ClientPlan, Habit, WorkPlan } from './plan.ts';
import { isTrueCancel, isTrueReceipt } from './receipts.ts';
import { simulatedCheckpoints } from './simulated-checkpoints.ts';
import { simulatedClock, type SimulatedClock } from './simulated-clock.ts';
import { simulatedFetch } from './simulated-fetch.ts';
import { simulatedSockets } from './simulated-sockets.ts';
import type { SimulatedUserDeps } from './simulated-user-deps.ts';
import { Subscribers } from './subscribers.ts';
import { StreamCheck } from './stream-check.ts';
import { TokenSource } from './token-source.ts';
import type { AskedQuestion } from './oracle.ts';

const RETRY_MS = 1_500;
/** How long it takes until a process that has died is started again. */
const BACK_MS = 1_200;
/** The number of a token that never ends. */
const TOKEN_MAX = 1_000_000;

/** Somebody who uses one client after the other, on one machine: starts tasks, watches them, answers, cancels. */
export class SimulatedUser {
  readonly name: string;
  readonly observers: Observer[] = [];
  client: TaskBridgeClient | undefined;
  entity: Entity;
  /** Undefined where this history has no outboxes. */
  readonly outbox: OutboxUser | undefined;
  /** When the network of this machine works again, by what it keeps from getting through. */
  readonly awayUntil = new Map<TransportName | 'all', number>();
  readonly #plan: ClientPlan;
  readonly #around: SimulatedUserDeps;
  readonly #random: SeededRandom;
  readonly #texts = new Map<string, string>();
  readonly #gateSubscribers = new Subscribers<[open: boolean]>();
  readonly #changeSubscribers = new Subscribers<[]>();
  #proxy: { readonly status: number; readonly until: number } | undefined;
  /** Commands whose outcome is not known: whoever's client dies sends them again. */
  readonly #unanswered = new Set<() => void>();
  #clock: SimulatedClock | undefined;
  #tab: TabSockets | undefined;
  #wires: { readonly fetch: typeof fetch } | undefined;
  #lives = 0;
  #isAway = false;
  #clockOffMs: number;
  /** Tasks of which this life of the client may show less than there is. */
  readonly #partial = new Set<string>();
  #actions = 0;
  readonly tokenSource: TokenSource;

  constructor(index: number, plan: ClientPlan, around: SimulatedUserDeps) {
    this.name = `client ${index}`;
    this.#plan = plan;
    this.#clockOffMs = plan.clockOffMs;
    this.#around = around;
    this.#random = around.world.random(this.name);
    this.entity = entity(this.name);
    this.entity.isDead = true;
    const { outbox, shelves, world, faults, planted, taskIds, tokens, tokenNumber } = around;
    this.tokenSource = new TokenSource({ name: this.name, world, faults, plan: tokens, tokenNumber });
    const shelf = shelves[outbox?.shelves[index] ?? -1];
    const wake = (): boolean => {
      if (!this.#isAway) this.use();
      return this.client !== undefined;
    };
    this.outbox = outbox && shelf && new OutboxUser({ name: this.name, world, shelf, plan: outbox, planted, taskIds, wake });
  }

  /** The client of now; a new one where there is none. */
  use(): TaskBridgeClient {
    return (this.client ??= this.#begin());
  }

  /** The process is gone without a word. */
  die(): void {
    if (!this.client) return;
    this.#around.world.tell(this.name, 'dies');
    this.entity.isDead = true;
    this.#isAway = true;
    this.client = undefined;
    this.outbox?.died();
    this.#around.browser?.locks.died(this.entity);
    this.#gateSubscribers.clear();
    this.#changeSubscribers.clear();
    this.#around.network.clientDied(this.entity);
    for (const again of this.#unanswered) again();
    this.#unanswered.clear();
  }

  /** Closes the client, as a program that ends does. */
  async close(): Promise<void> {
    // One that is frozen may be closed only when the next life has begun: what is closed is of this one.
    const { client, entity: itself } = this;
    const [clock, tab, outbox] = [this.#clock, this.#tab, this.outbox];
    if (!client) return;
    this.#around.world.tell(this.name, 'closes');
    this.#isAway = true;
    this.client = undefined;
    await outbox?.close();
    await client.close();
    tab?.close();
    clock?.assertIdle();
    itself.isDead = true;
  }

  /** Comes back, with the checkpoints of before. */
  comeBack(): void {
    if (!this.#isAway) return;
    this.#isAway = false;
    this.#around.world.tell(this.name, 'comes back');
    for (const observer of this.observers) if (!observer.isDone) observer.observe(this.use(), this.entity);
    // Whoever comes back looks what is left on the shelf.
    if (this.outbox) this.use();
  }

  /** Nothing happens to the process for a while. */
  freeze(ms: number): void {
    const { world } = this.#around;
    world.tell(this.name, `freezes for ${ms} ms`);
    this.entity.frozenUntil = Math.max(this.entity.frozenUntil, world.time + ms);
  }

  /** The page is frozen, and what it had open dies without a word. */
  freezePage(ms: number): void {
    const { world, network } = this.#around;
    const itself = this.entity;
    this.freeze(ms);
    network.cut(itself, true);
    world.after(ms, itself, () => {
      world.tell(itself.name, 'resumes');
      this.#changeSubscribers.tell();
    });
  }

  /** Somebody on the way cuts what is open, and answers everything himself for a while. */
  meetProxy(status: number, ms: number): void {
    const { world, network } = this.#around;
    world.tell(this.name, `meets a proxy that answers ${status} for ${ms} ms`);
    this.#proxy = { status, until: world.time + ms };
    network.cut(this.entity, false);
  }

  #proxied(): number | undefined {
    const { world, faults } = this.#around;
    return this.#proxy && world.time < this.#proxy.until && !faults.isCalm ? this.#proxy.status : undefined;
  }

  goOffline(ms: number): void {
    const { world } = this.#around;
    this.awayUntil.set('all', world.time + ms);
    this.#gateSubscribers.tell(false);
    world.after(ms, world.itself, () => this.#gateSubscribers.tell(this.#isOnline()));
  }

  /** Somebody sets the date of the machine. */
  setClock(byMs: number): void {
    this.#clockOffMs += byMs;
    this.#clock?.shift(byMs);
  }

  start(task: number, work: WorkPlan): void {
    const { world, taskIds } = this.#around;
    const input = { steps: work.steps } as unknown as JsonObject;
    const request = { clientRequestId: `task ${task}`, taskType: work.repeatable ? 'again' : 'once', input };
    const again = (): unknown => world.after(RETRY_MS, world.itself, () => this.start(task, work));
    if (this.#isAway) return void again();
    world.tell(this.name, `starts task ${task}`);
    this.#unanswered.add(again);
    this.use()
      .start(request)
      .then(
        ({ taskId, deduplicated }) => {
          this.#unanswered.delete(again);
          world.tell(this.name, `task ${task} is ${taskId.slice(0, 4)}${deduplicated ? ', known already' : ''}`);
          const known = taskIds.get(task);
          if (known !== undefined && known !== taskId) world.fault('one task a request', `task ${task} is ${known} and ${taskId}`);
          if (!this.#around.oracle.tasks.has(taskId)) world.fault('acknowledged writes are in the log', `nobody wrote task ${taskId}`);
          taskIds.set(task, taskId);
        },
        (error: unknown) => {
          this.#unanswered.delete(again);
          this.#expectPassing(error, 'start');
          again();
        },
      );
  }

  observe(task: number, habit: Habit): void {
    const { world, oracle, planted, taskIds } = this.#around;
    const taskId = taskIds.get(task);
    if (taskId === undefined) return void world.after(200, world.itself, () => this.observe(task, habit));
    const name = `${this.name}.${this.observers.length}`;
    const observer: Observer = new Observer({
      world,
      oracle,
      name,
      taskId,
      habit,
      hidesAnswered: this.#plan.hideAnswered,
      planted,
      readsParts: this.#plan.parts?.reads === true,
      mayBeLeft: (error) => this.tokenSource.excuses(error),
      // All consumers of a task in one client share its checkpoint.
      isPartial: () => this.#partial.has(taskId),
      isOpen: (client) => client === this.client,
      dealtHere: () => Math.max(0, ...this.#observersOf(taskId).map(({ dealt }) => dealt)),
    });
    this.observers.push(observer);
    if (this.#isAway) return;
    world.tell(name, `observes task ${task}`);
    observer.observe(this.use(), this.entity);
  }

  answer(asked: AskedQuestion, as: AnswerKind): void {
    const clientActionId = `${this.name}/${(this.#actions += 1)}`;
    const [first = '', second = first] = asked.allowedActions;
    const chosen = this.#random.odds(0.5) ? first : second;
    if (as === 'forbidden') return this.#act(asked, clientActionId, 'dance', as);
    this.#act(asked, clientActionId, chosen, as);
    if (as === 'doubled') this.#act(asked, clientActionId, chosen, as);
    if (as === 'contradicted') this.#act(asked, clientActionId, chosen === first ? second : first, as);
  }

  /** Asks as somebody who may not know that the task exists. */
  peek(task: number): void {
    const { world, taskIds } = this.#around;
    const taskId = taskIds.get(task);
    if (taskId === undefined || this.#isAway || this.#proxied() !== undefined) return;
    this.use();
    const call = this.#wires?.fetch(`https://simulated/api/v1/tasks/${taskId}`, { headers: { authorization: `Bearer eve.${TOKEN_MAX}` } });
    call?.then(
      ({ status }) => {
        world.tell('stranger', `gets ${status}`);
        if (status !== 404 && status !== 502 && status !== 503) world.fault('strangers see nothing', `${status} for ${taskId}`);
      },
      () => undefined,
    );
  }

  cancel(task: number, reason: string | undefined): void {
    const { world, oracle, taskIds } = this.#around;
    const taskId = taskIds.get(task);
    const again = (): unknown => world.after(RETRY_MS, world.itself, () => this.cancel(task, reason));
    if (taskId === undefined || this.#isAway) return void again();
    world.tell(this.name, `cancels task ${task}`);
    this.#unanswered.add(again);
    this.use()
      .cancel(taskId, reason)
      .then(
        ({ status }) => {
          this.#unanswered.delete(again);
          world.tell(this.name, `cancel of task ${task}: ${status}`);
          if (!isTrueCancel(oracle.of(taskId), { status }))
            world.fault('acknowledged writes are in the log', `a cancel of ${taskId} was answered ${status}`);
        },
        (error: unknown) => {
          this.#unanswered.delete(again);
          this.#expectPassing(error, 'cancel');
          again();
        },
      );
  }

  #act(asked: AskedQuestion, clientActionId: string, actionType: string, as: AnswerKind): void {
    const { world, oracle } = this.#around;
    const { taskId, suspendId } = asked;
    const again = (): unknown => world.after(RETRY_MS, world.itself, () => this.#act(asked, clientActionId, actionType, as));
    if (this.#isAway) return void again();
    world.tell(this.name, `answers ${suspendId} with ${actionType} (${clientActionId})`);
    this.#unanswered.add(again);
    this.use()
      .act(taskId, { suspendId, actionType, clientActionId })
      .then(
        ({ status }) => {
          this.#unanswered.delete(again);
          world.tell(this.name, `answer ${clientActionId}: ${status}`);
          const task = oracle.of(taskId);
          if (!isTrueReceipt(task, { suspendId, clientActionId, status }))
            world.fault(
              'receipts tell the truth',
              `${clientActionId} got ${status}, accepted was ${task.accepted.get(suspendId) ?? 'none'}`,
            );
        },
        (error: unknown) => {
          this.#unanswered.delete(again);
          const code = error instanceof TaskBridgeClientError ? error.code : undefined;
          if (code === 'ACTION_NOT_ALLOWED' && as === 'forbidden') return;
          if (code === 'IDEMPOTENCY_CONFLICT' && as === 'contradicted') return;
          const { lost } = oracle.of(taskId);
          // The store has lost the question.
          if (code === 'TASK_NOT_FOUND' && lost.length > 0) return;
          this.#expectPassing(error, 'act');
          again();
        },
      );
  }

  #isOnline(): boolean {
    return this.#around.world.time >= (this.awayUntil.get('all') ?? 0) || this.#around.faults.isCalm;
  }

  #expectPassing(error: unknown, what: string): void {
    if (error instanceof TaskBridgeClientError && (error.code === 'CLOSED' || error.retryable)) return;
    if (this.tokenSource.excuses(error)) return;
    this.#around.world.fault(
      'commands fail in passing only',
      `${what} of ${this.name}: ${error instanceof Error ? error.stack : String(error)}`,
    );
  }

  #observersOf(taskId: string): Observer[] {
    return this.observers.filter((observer) => observer.taskId === taskId);
  }

  #begin(): TaskBridgeClient {
    const { world, faults, oracle, network, sizes, planted } = this.#around;
    this.#lives += 1;
    this.#partial.clear();
    const itself = entity(`${this.name}${'′'.repeat(this.#lives - 1)}`);
    this.entity = itself;
    const random = world.random(itself.name);
    const clock = simulatedClock(world, itself, this.#clockOffMs);
    this.#clock = clock;
    const auth: AuthProvider = (request) => this.tokenSource.ask(request, { entity: itself, clock });
    const common = {
      network,
      client: itself,
      random,
      newCheck: () => new StreamCheck(world, oracle),
      proxied: () => this.#proxied(),
      gets: (kind: 'ws' | 'sse' | 'request') => {
        const until = kind === 'request' ? 0 : (this.awayUntil.get(kind) ?? 0);
        return this.#isOnline() && (world.time >= until || faults.isCalm);
      },
    };
    const fetcher = simulatedFetch(common);
    this.#wires = { fetch: planted.fetch?.(fetcher) ?? fetcher };
    const sockets = simulatedSockets({ ...common, sendsHeaders: this.#plan.sendsHeaders });
    const gate: Gate = { isOpen: () => this.#isOnline(), subscribe: (listener) => this.#gateSubscribers.add(listener) };
    const checkpoints = simulatedCheckpoints({
      world,
      faults,
      random,
      entity: itself,
      texts: this.#texts,
      onWrite: (key, text) => checkCheckpoint(world, this.observers, key, text),
    });
    const client = createTaskBridgeClient({
      baseUrl: 'https://simulated',
      fetch: this.#wires.fetch,
      sockets: this.#share(sockets, itself, clock),
      auth: planted.auth?.(auth) ?? auth,
      ...(planted.classify && { classify: planted.classify }),
      checkpoints: planted.checkpoints?.(checkpoints) ?? checkpoints,
      clock,
      chance: { fraction: random.fraction },
      gate,
      networkChanges: { subscribe: (listener) => this.#changeSubscribers.add(listener) },
      transports: this.#plan.transports,
      hideAnswered: this.#plan.hideAnswered,
      onReport: (report) => {
        world.remark(itself.name, () => `reports ${report.type} ${'reason' in report ? report.reason : ''}`);
        if (report.type === 'partial') this.#partial.add(report.taskId);
        if (report.type === 'gap') for (const observer of this.#observersOf(report.taskId)) observer.gapTold(report.reason);
        if (report.type === 'malformed') world.fault('nodes send no malformed frames', `${report.reason} by ${report.transport}`);
      },
      limits: clientLimits(sizes),
      ...clientParts(this.#plan.parts, { name: itself.name, world, oracle, planted }),
    });
    if (this.outbox) {
      const own = world.random(`outbox of ${itself.name}`);
      this.outbox.open({ client, entity: itself, clock, random: own, gate, die: () => this.#dieHere() });
    }
    return client;
  }

  /** Through another tab, over one socket for all tasks, or a socket for each. */
  #share(sockets: SocketPort, itself: Entity, clock: SimulatedClock): SocketPort {
    this.#tab = this.#around.browser?.open(itself, sockets, clock);
    return this.#tab ?? (this.#plan.sharesSocket ? multiplexed(sockets) : sockets);
  }

  /** In the middle of a call; somebody starts it again. */
  #dieHere(): boolean {
    const { world } = this.#around;
    if (!this.client) return false;
    this.die();
    world.after(BACK_MS, world.itself, () => this.comeBack());
    return true;
  }
}
