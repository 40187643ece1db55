import type { Socket, SocketListener, SocketPort, SocketRequest } from '../../client/transports/index.ts';
import type { SubscribeFrame, UnsubscribeFrame } from '../../machines/wire/index.ts';
import type { SeededRandom } from '../support/seeded-random.ts';
import type { Entity } from './event-queue.ts';
import { latency, type Flight, type Network } from './network.ts';
import type { SimulatedNode } from './node.ts';
import { SendQueue } from './send-queue.ts';
import type { FaultKind } from './plan.ts';
import { SocketStandIn, WebSocketStandIn } from './socket-stand-ins.ts';
import type { StreamCheck } from './stream-check.ts';

/** What a client's WebSockets are made of. */
export interface SimulatedSocketsDeps {
  readonly network: Network;
  readonly client: Entity;
  readonly random: SeededRandom;
  readonly sendsHeaders: boolean;
  gets(kind: 'ws'): boolean;
  /** The status that a proxy answers everything with; undefined while none does. */
  proxied(): number | undefined;
  /** Looks at what a node sends over one socket. */
  readonly newCheck: () => StreamCheck;
}

/** WebSockets that go over the simulated network. */
export function simulatedSockets(deps: SimulatedSocketsDeps): SocketPort {
  return { sendsHeaders: deps.sendsHeaders, open: (request, listener) => new SimulatedSocket(deps, request, listener) };
}

const CLOSE_MS = 5_000;

/** What a node has of a socket. */
interface NodeEnd {
  readonly ws: WebSocketStandIn;
  readonly socket: SocketStandIn;
  readonly sendQueue: SendQueue;
}

class SimulatedSocket implements Socket {
  readonly #deps: SimulatedSocketsDeps;
  readonly #listener: SocketListener;
  #flight: Flight | undefined;
  #server: NodeEnd | undefined;
  #lastUp = 0;
  #isOver = false;
  readonly #check: StreamCheck;

  constructor(deps: SimulatedSocketsDeps, request: SocketRequest, listener: SocketListener) {
    this.#deps = deps;
    this.#listener = listener;
    this.#check = deps.newCheck();
    const { network, client, random } = deps;
    const { world, faults } = network;
    const what = faults.strike('stream', client.name);
    const proxied = deps.proxied();
    const node = network.pick(random);
    const ms = latency(random);
    if (what === 'silence') world.tell(client.name, 'hears nothing of its upgrade');
    else if (!deps.gets('ws') || what === 'lost' || !node) world.after(ms, client, () => this.#end(() => listener.cut()));
    else if (proxied !== undefined) world.after(ms, client, () => this.#refuse(proxied, '<html>'));
    else if (what === 'refused' || what === 'missing') world.after(ms, client, () => this.#refuse(what === 'refused' ? 502 : 426, ''));
    else this.#connect(node, request, what, ms);
  }

  send(text: string): void {
    this.#deps.network.world.tell(this.#deps.client.name, `says ${text}`);
    this.#up(() => {
      if (!this.#server) return;
      const frame = JSON.parse(text) as SubscribeFrame | UnsubscribeFrame;
      if (frame.action === 'subscribe') this.#check.begin(frame.taskId, frame.lastEventId ?? undefined);
      else this.#check.leave(frame.taskId);
      this.#server.socket.bytesRead += text.length;
      this.#server.ws.hear(text);
    });
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#up(() => this.#server?.ws.vanish());
    this.#land();
  }

  /** What the client does reaches the node in order, unless the connection is half-open. */
  #up(run: () => void): void {
    const { network, random } = this.#deps;
    const { world } = network;
    const flight = this.#flight;
    if (!flight) return;
    const at = Math.max(world.time + latency(random), this.#lastUp);
    this.#lastUp = at;
    world.after(at - world.time, flight.node.entity, run);
  }

  #connect(node: SimulatedNode, { url, headers, protocols }: SocketRequest, what: FaultKind | undefined, ms: number): void {
    const { network, client, random } = this.#deps;
    const { world } = network;
    const flight: Flight = {
      node,
      client,
      nodeGone: (silent) => {
        this.#land();
        if (!silent) world.after(latency(random), client, () => this.#end(() => this.#listener.cut()));
      },
      clientGone: () => this.close(),
      between: (silent) => {
        world.after(latency(random), node.entity, () => this.#server?.ws.vanish());
        this.#server?.sendQueue.break(false);
        flight.nodeGone(silent);
      },
    };
    this.#flight = flight;
    network.flights.add(flight);
    const offered = protocols.length > 0 ? { 'sec-websocket-protocol': protocols.join(', ') } : {};
    world.after(ms, node.entity, () => {
      void node.server.admit({ ...headers, ...offered }, new URL(url).searchParams.get('extensions')).then((answer) => {
        if (!('accept' in answer)) {
          world.after(latency(random), client, () => this.#refuse(answer.status, answer.body, answer.headers['retry-after']));
          return this.#land();
        }
        this.#server = this.#serve(node, what === 'mute' || what === 'buffered', url.includes('multiplex'));
        answer.accept(this.#server.ws, this.#server.socket);
        if (this.#isOver) this.#server.ws.vanish();
      });
    });
  }

  /** The node's end. */
  #serve(node: SimulatedNode, isMute: boolean, isShared: boolean): NodeEnd {
    const { network, client, random } = this.#deps;
    const { world, faults } = network;
    const check = this.#check;
    const cutHere = (): unknown => world.after(latency(random), client, () => this.#end(() => this.#listener.cut()));
    const sendQueue = new SendQueue({
      world,
      faults,
      random,
      name: client.name,
      sender: node.entity,
      receiver: client,
      cut: (who) => {
        if (who !== 'nobody') cutHere();
        if (who === 'both') world.after(latency(random), node.entity, () => ws.vanish());
        this.#land();
      },
      endBetween: () => {
        sendQueue.break(false);
        world.after(latency(random), node.entity, () => ws.vanish());
        world.after(latency(random), client, () => this.#end(() => this.#listener.closed(random.pick([1000, 1001, 1012]))));
        this.#land();
      },
      giveUp: () => ws.vanish(),
    });
    const arrived = (text: string): void => {
      if (this.#isOver || isMute) return;
      world.tell(client.name, `hears ${text.slice(0, 90)}`);
      this.#listener.frame(text);
    };
    const socket = new SocketStandIn(sendQueue, arrived, (text) => check.sent(text));
    const ws = new WebSocketStandIn(sendQueue, {
      sent: (text) => check.sent(text),
      frame: arrived,
      closed: (code) => {
        this.#up(() => ws.vanish());
        this.#end(() => this.#listener.closed(code));
      },
      pinged: () => this.#up(() => (socket.bytesRead += 6)),
      closing: (code) => {
        // Where several tasks share a socket, each has its own end.
        if (code === 1000 && !isShared && !sendQueue.isBroken) check.ended();
        // As ws does with a peer that does not answer.
        world.after(CLOSE_MS, node.entity, () => ws.terminate());
      },
      terminated: () => {
        sendQueue.break(random.odds(0.5));
        cutHere();
      },
    });
    // The head of the upgrade's answer comes before any frame.
    sendQueue.send(130, () => !this.#isOver && this.#listener.opened());
    return { ws, socket, sendQueue };
  }

  #refuse(status: number, body: string, retryAfter?: string): void {
    // A browser sees no status of a refused upgrade.
    this.#end(() => (this.#deps.sendsHeaders ? this.#listener.refused(status, body, retryAfter) : this.#listener.cut()));
  }

  #end(tell: () => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#land();
    tell();
  }

  #land(): void {
    if (this.#flight) this.#deps.network.flights.delete(this.#flight);
    this.#flight = undefined;
  }
}
