import type { PartFrame } from '../../machines/parts/index.ts';
import { isTerminalType, type Fact, type Gap } from '../../machines/wire/index.ts';
import { askedParts } from '../../server/live/extensions.ts';
import { batchDefaults } from '../../server/live/batch-sizes.ts';
import type { Subscription } from '../../server/live/subscription.ts';
import type { Viewer } from '../../server/live/viewer.ts';
import type { Entry } from '../../server/ports/index.ts';
import { seededRandom, type SeededRandom } from '../support/seeded-random.ts';
import { entity, type Entity } from './event-queue.ts';
import { latency, type Flight, type Network } from './network.ts';
import type { SimulatedNode } from './node.ts';
import type { Oracle } from './oracle.ts';
import { PartObserver } from './part-observer.ts';
import type { PartHabit } from './plan.ts';
import { SendQueue } from './send-queue.ts';
import type { World } from './world.ts';

/** What somebody who is shown parts is made of. */
export interface PartViewerDeps {
  readonly name: string;
  readonly world: World;
  readonly network: Network;
  readonly oracle: Oracle;
  readonly habit: PartHabit;
  readonly taskId: () => string | undefined;
}

/** How long somebody waits who found no node, or no task, in milliseconds. */
const AGAIN_MS = 400;

/** Somebody who wants to see all of a task and of its parts, through any number of connections to any nodes. */
export class PartViewer {
  readonly name: string;
  isDone = false;
  readonly #deps: PartViewerDeps;
  readonly #random: SeededRandom;
  readonly #seen: PartObserver;
  /** Nothing goes wrong any more. */
  #isCalm = false;
  #leave: (() => void) | undefined;

  constructor(deps: PartViewerDeps) {
    this.name = deps.name;
    this.#deps = deps;
    this.#random = seededRandom(`${deps.world.seed}/${deps.name}`);
    this.#seen = new PartObserver(deps);
  }

  begin(): void {
    const { network, taskId } = this.#deps;
    if (this.isDone) return;
    const id = taskId();
    const node = network.pick(this.#random);
    if (id === undefined || !node) return this.#later(AGAIN_MS);
    this.#connect(id, node);
  }

  /** From now on it stays, and takes what it gets. */
  calmDown(): void {
    this.#isCalm = true;
    this.#leave?.();
  }

  #later(ms: number): void {
    const { world } = this.#deps;
    world.after(ms, world.itself, () => this.begin());
  }

  #connect(taskId: string, node: SimulatedNode): void {
    const { world, network, habit, name } = this.#deps;
    const client = entity(name);
    const connection = new Connection({ ...this.#deps, client, node, random: this.#random, isCalm: this.#isCalm });
    const over = (): void => {
      if (client.isDead) return;
      client.isDead = true;
      this.#leave = undefined;
      network.flights.delete(flight);
      connection.leave();
      if (!this.isDone) this.#later(this.#isCalm ? 50 : 50 + this.#random.fraction() * habit.awayMs);
    };
    const flight: Flight = {
      node,
      client,
      nodeGone: () => world.after(latency(this.#random), world.itself, over),
      clientGone: over,
      between: over,
    };
    network.flights.add(flight);
    this.#leave = over;
    this.#seen.connect();
    world.tell(
      name,
      `is shown ${taskId.slice(0, 4)} by ${node.entity.name}, after ${this.#seen.cursor ?? 'nothing'} ${this.#seen.partCursors}`,
    );
    const { cursor, partCursors } = this.#seen;
    world.after(latency(this.#random), node.entity, () =>
      connection.open(taskId, cursor, partCursors, {
        take: (bytes) => this.#take(JSON.parse(bytes) as Fact | PartFrame),
        gap: (gap) => this.#seen.gap(gap.reason),
        over,
      }),
    );
    const { leavesAfterMs } = habit;
    if (leavesAfterMs !== undefined && !this.#isCalm) world.after(leavesAfterMs * (0.5 + this.#random.fraction()), client, over);
  }

  #take(frame: Fact | PartFrame): void {
    const { world, name } = this.#deps;
    world.tell(
      name,
      frame.type === 'PART' ? `takes ${frame.part} from ${frame.at} to ${frame.to}` : `takes ${frame.eventId} ${frame.type}`,
    );
    this.#seen.take(frame);
    if (frame.type === 'PART' || !isTerminalType(frame.type)) return;
    // Nothing comes behind it.
    this.isDone = true;
    this.#leave?.();
  }
}

interface ConnectionDeps extends Pick<PartViewerDeps, 'world' | 'network' | 'habit' | 'name'> {
  readonly client: Entity;
  readonly node: SimulatedNode;
  readonly random: SeededRandom;
  readonly isCalm: boolean;
}

/** What the other end does with what comes. */
interface Receiver {
  take(bytes: string): void;
  gap(gap: Gap): void;
  over(): void;
}

/** One connection of it, as the hub of a node sees it. */
class Connection {
  readonly #deps: ConnectionDeps;
  #queue: SendQueue | undefined;
  #subscription: Subscription | undefined;
  #isLeft = false;

  constructor(deps: ConnectionDeps) {
    this.#deps = deps;
  }

  open(taskId: string, cursor: string | undefined, partCursors: string, receiver: Receiver): void {
    const { node } = this.#deps;
    if (this.#isLeft || !node.isOpen) return receiver.over();
    this.#subscription = node.hub.subscribe(taskId, this.#viewer(receiver), cursor, { parts: askedParts(['parts'], partCursors) });
    if (this.#isLeft) this.#subscription.close();
  }

  /** The client is gone; the node hears of it. */
  leave(): void {
    if (this.#isLeft) return;
    this.#isLeft = true;
    const { world, node, random } = this.#deps;
    this.#queue?.break(true);
    world.after(latency(random), node.entity, () => this.#subscription?.close());
  }

  #viewer({ take, gap, over }: Receiver): Viewer {
    const { world, network, client, node, random, habit, name, isCalm } = this.#deps;
    const gone = (): void => {
      queue.break(true);
      world.after(latency(random), client, over);
    };
    const queue = new SendQueue({
      ...{ world, random, name, faults: network.faults, sender: node.entity, receiver: client },
      cut: gone,
      endBetween: gone,
      giveUp: () => undefined,
    });
    this.#queue = queue;
    let frames = 0;
    const send = (entries: readonly Entry[]): void => {
      for (const { bytes } of entries) {
        const text = Buffer.from(bytes).toString('utf8');
        frames += 1;
        queue.send(bytes.byteLength, () => take(text));
      }
      if (isCalm) return;
      if (habit.slowMs > 0) queue.stuckUntil = Math.max(queue.stuckUntil, world.time + habit.slowMs);
      if (habit.stallsAfter !== undefined && frames >= habit.stallsAfter) queue.stuckUntil = Number.POSITIVE_INFINITY;
    };
    return {
      transport: 'ws',
      owner: 'ann',
      batches: batchDefaults,
      facts: send,
      parts: send,
      gap: (found) => queue.send(100, () => gap(found)),
      heartbeat: () => true,
      pendingBytes: () => queue.pendingBytes,
      takenBytes: () => queue.takenBytes,
      onDrain: (callback) => queue.whenTaken(callback),
      // What was sent arrives; its last fact is the end.
      end: () => undefined,
      cut: gone,
      cutTask: gone,
    };
  }
}
