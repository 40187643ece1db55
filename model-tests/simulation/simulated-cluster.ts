import type { TaskActor } from '../../server/index.ts';
import { ActorCheck } from './actor-check.ts';
import type { Network } from './network.ts';
import { SimulatedNode, type NodeDeps } from './node.ts';
import type { Decision } from './plan.ts';

/** What befalls one node. */
type NodeDecision = Extract<Decision, { readonly node: number }>;

/** All nodes of a history, through all their lives. */
export class SimulatedCluster {
  /** Live actors that somebody asked for. */
  readonly actors: ActorCheck[] = [];
  readonly #deps: NodeDeps;
  readonly #network: Network;
  /** How far the clock of each node is off, in milliseconds. */
  readonly #offBy: readonly number[];
  readonly #nodes: (SimulatedNode | undefined)[];
  readonly #lives: number[];
  #isOver = false;

  constructor(offBy: readonly number[], deps: NodeDeps, network: Network) {
    this.#deps = deps;
    this.#network = network;
    this.#offBy = offBy;
    this.#nodes = offBy.map(() => undefined);
    this.#lives = offBy.map(() => 0);
    network.nodes = () => this.#living.filter(({ isOpen }) => isOpen);
  }

  get #living(): SimulatedNode[] {
    return this.#nodes.filter((node) => node !== undefined);
  }

  start(): void {
    for (const index of this.#nodes.keys()) this.#boot(index);
  }

  /** Nobody starts any more. */
  end(): void {
    this.#isOver = true;
  }

  /** Whoever is down comes back, whoever is frozen or cut off goes on. */
  comeToRest(): void {
    for (const [index, node] of this.#nodes.entries()) {
      if (!node) this.#boot(index);
      else {
        this.#deps.world.thaw(node.entity);
        node.store.awayUntil = 0;
      }
    }
  }

  /** No node reaches its store for that many milliseconds. */
  cutOff(ms: number): void {
    for (const { store } of this.#living) {
      store.awayUntil = this.#deps.world.time + ms;
      store.interrupt(ms);
    }
  }

  do(decision: NodeDecision, taskIds: ReadonlyMap<number, string>): void {
    const { world } = this.#deps;
    const node = this.#nodes[decision.node];
    if (!node) return;
    const { name } = node.entity;
    switch (decision.kind) {
      case 'crash':
        return this.#crash(decision.node, node, decision.backMs, decision.silent);
      case 'close':
        world.tell(name, 'closes');
        return void node.close(decision.drainMs).then(() => this.#crash(decision.node, node, decision.backMs, false));
      case 'freeze':
        return node.freeze(decision.ms, world);
      case 'clock':
        world.tell(name, `has its clock set by ${decision.byMs} ms`);
        return node.clock.shift(decision.byMs);
      case 'store away':
        world.tell(name, `cannot reach the store for ${decision.ms} ms`);
        return void (node.store.awayUntil = world.time + decision.ms);
      case 'tail away':
        world.tell(name, `hears nothing of the store for ${decision.ms} ms`);
        return node.store.interrupt(decision.ms);
      case 'actor':
        return this.#askForActor(node, taskIds.get(decision.task));
    }
  }

  /** What clients left open on the nodes; live actors that are pinned may watch. */
  leftByClients(): string[] {
    return this.#living.flatMap((node) => {
      const { hub, entity } = node;
      return hub.viewers + hub.topics > this.actors.filter((check) => check.node === node && check.isPinned).length
        ? [`${entity.name}: ${hub.viewers} viewers, ${hub.topics} watched tasks`]
        : [];
    });
  }

  /** Closes every node in the proper way, for good: one that is down stays so. False where one never is. */
  async close(): Promise<boolean> {
    const { world } = this.#deps;
    this.end();
    const closing = this.#living;
    let open = closing.length;
    for (const node of closing) void node.close(1_000).then(() => (open -= 1));
    if (!(await world.until(() => open === 0, 30_000))) return false;
    // Sockets that are being closed may still wait for the other end.
    await world.until(() => this.#living.every(({ clock }) => clock.armed === 0), 30_000);
    for (const { clock } of this.#living) clock.assertIdle();
    return true;
  }

  #boot(index: number): void {
    if (this.#isOver || this.#nodes[index]) return;
    const { world } = this.#deps;
    const life = (this.#lives[index] = (this.#lives[index] ?? 0) + 1);
    const name = `node ${index}${'′'.repeat(life - 1)}`;
    const node = new SimulatedNode(name, this.#offBy[index] ?? 0, this.#deps, (dying) => this.#crash(index, dying, 1_500, false));
    this.#nodes[index] = node;
    node.start().then(
      () => world.tell(name, 'is up'),
      (error: unknown) => {
        world.tell(name, `did not start: ${String(error)}`);
        this.#crash(index, node, 500, false);
      },
    );
  }

  #crash(index: number, node: SimulatedNode, backMs: number, silent: boolean): void {
    if (node.entity.isDead) return;
    const { world } = this.#deps;
    world.tell(node.entity.name, silent ? 'loses its power' : 'crashes');
    node.entity.isDead = true;
    node.isOpen = false;
    this.#deps.oracle.work.ended(node.entity.name, node.isClosed ? 'closed' : 'crashed');
    this.#network.nodeDied(node, silent);
    if (this.#nodes[index] !== node) return;
    this.#nodes[index] = undefined;
    world.after(backMs, world.itself, () => this.#boot(index));
  }

  #askForActor(node: SimulatedNode, taskId: string | undefined): void {
    if (taskId === undefined || !node.isOpen) return;
    const { world, oracle } = this.#deps;
    node.core.actors.get(taskId).then(
      (actor: TaskActor) => this.actors.push(new ActorCheck(world, oracle, node, taskId, actor)),
      (error: unknown) => world.tell(node.entity.name, `gives no actor: ${String(error)}`),
    );
  }
}
