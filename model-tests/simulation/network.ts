import type { SeededRandom } from '../support/seeded-random.ts';
import type { Entity } from './event-queue.ts';
import type { SimulatedAnswer } from './node-server.ts';
import type { Faults } from './faults.ts';
import type { SimulatedRequest } from './http-stand-ins.ts';
import type { SimulatedNode } from './node.ts';
import type { World } from './world.ts';

/** A connection or a request under way, as the network knows it. */
export interface Flight {
  readonly node: SimulatedNode;
  readonly client: Entity;
  /** The node is gone; silently, if nobody tells the client. */
  nodeGone(silent: boolean): void;
  /** The client is gone without a word. */
  clientGone(): void;
  /** What is between them is gone for both; silently, if nobody tells the client. */
  between(silent: boolean): void;
}

/** What lies between clients and nodes. */
export class Network {
  readonly world: World;
  readonly faults: Faults;
  readonly flights = new Set<Flight>();
  /** Nodes that take connections. */
  nodes: () => readonly SimulatedNode[] = () => [];
  /** Told of every answer that a node gave, whether it arrives or not. */
  onAnswered: (request: SimulatedRequest, answer: SimulatedAnswer) => void = () => undefined;

  constructor(world: World, faults: Faults) {
    this.world = world;
    this.faults = faults;
  }

  /** The node that a balancer sends a client to. */
  pick(random: SeededRandom): SimulatedNode | undefined {
    const open = this.nodes();
    return open.length === 0 ? undefined : random.pick(open);
  }

  nodeDied(node: SimulatedNode, silent: boolean): void {
    for (const flight of [...this.flights]) if (flight.node === node) flight.nodeGone(silent);
  }
  clientDied(client: Entity): void {
    for (const flight of [...this.flights]) if (flight.client === client) flight.clientGone();
  }
  /** What is under way of this client ends; silently, if nobody tells it. */
  cut(client: Entity, silent: boolean): void {
    for (const flight of [...this.flights]) if (flight.client === client) flight.between(silent);
  }
}

/** Time that a message takes, in milliseconds. */
export function latency(random: SeededRandom): number {
  return 0.2 + random.fraction() * (random.odds(0.05) ? 400 : 10);
}
