import type { Socket, SocketListener, SocketPort, SocketRequest } from '../../client/transports/index.ts';
import type { SubscribeFrame, UnsubscribeFrame } from '../../machines/wire/index.ts';
import type { SeededRandom } from '../support/seeded-random.ts';
import type { Being } from './agenda.ts';
import { latency, type Flight, type Network } from './network.ts';
import type { SimulatedNode } from './node.ts';
import { Outflow } from './outflow.ts';
import type { FaultKind } from './plan.ts';
import { SocketStandIn, WebSocketStandIn } from './socket-stand-ins.ts';
import type { StreamCheck } from './stream-check.ts';

/** What a client's WebSockets are made of. */
export interface SimulatedSocketsContext {
  readonly network: Network;
  readonly client: Being;
  readonly dice: SeededRandom;
  readonly sendsHeaders: boolean;
  gets(kind: 'ws'): boolean;
  /** Looks at what a node sends over one socket. */
  readonly newCheck: () => StreamCheck;
}

/** WebSockets that go over the simulated network. */
export function simulatedSockets(context: SimulatedSocketsContext): SocketPort {
  return { sendsHeaders: context.sendsHeaders, open: (request, listener) => new SimulatedSocket(context, request, listener) };
}

const CLOSE_MS = 5_000;

class SimulatedSocket implements Socket {
  readonly #context: SimulatedSocketsContext;
  readonly #listener: SocketListener;
  #flight: Flight | undefined;
  #server: { readonly ws: WebSocketStandIn; readonly socket: SocketStandIn } | undefined;
  #lastUp = 0;
  #isOver = false;
  readonly #check: StreamCheck;

  constructor(context: SimulatedSocketsContext, request: SocketRequest, listener: SocketListener) {
    this.#context = context;
    this.#listener = listener;
    this.#check = context.newCheck();
    const { network, client, dice } = context;
    const { world, faults } = network;
    const what = faults.strike('stream', client.name);
    const node = network.pick(dice);
    const ms = latency(dice);
    if (what === 'silence') world.tell(client.name, 'hears nothing of its upgrade');
    else if (!context.gets('ws') || what === 'lost' || !node) world.after(ms, client, () => this.#end(() => listener.cut()));
    else if (what === 'refused' || what === 'missing') world.after(ms, client, () => this.#refuse(what === 'refused' ? 502 : 426, ''));
    else this.#connect(node, request, what, ms);
  }

  send(text: string): void {
    this.#context.network.world.tell(this.#context.client.name, `says ${text}`);
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
    const { network, dice } = this.#context;
    const { world } = network;
    const flight = this.#flight;
    if (!flight) return;
    const at = Math.max(world.time + latency(dice), this.#lastUp);
    this.#lastUp = at;
    world.after(at - world.time, flight.node.being, run);
  }

  #connect(node: SimulatedNode, { url, headers, protocols }: SocketRequest, what: FaultKind | undefined, ms: number): void {
    const { network, client, dice } = this.#context;
    const { world } = network;
    const flight: Flight = {
      node,
      client,
      nodeGone: (silent) => {
        this.#land();
        if (!silent) world.after(latency(dice), client, () => this.#end(() => this.#listener.cut()));
      },
      clientGone: () => this.close(),
    };
    this.#flight = flight;
    network.flights.add(flight);
    const offered = protocols.length > 0 ? { 'sec-websocket-protocol': protocols.join(', ') } : {};
    world.after(ms, node.being, () => {
      void node.door.admit({ ...headers, ...offered }, new URL(url).searchParams.get('extensions')).then((answer) => {
        if (!('accept' in answer)) {
          world.after(latency(dice), client, () => this.#refuse(answer.status, answer.body, answer.headers['retry-after']));
          return this.#land();
        }
        this.#server = this.#serve(node, what === 'mute' || what === 'buffered', url.includes('multiplex'));
        answer.accept(this.#server.ws, this.#server.socket);
        if (this.#isOver) this.#server.ws.vanish();
      });
    });
  }

  /** The node's end. */
  #serve(node: SimulatedNode, isMute: boolean, isShared: boolean): { readonly ws: WebSocketStandIn; readonly socket: SocketStandIn } {
    const { network, client, dice } = this.#context;
    const { world, faults } = network;
    const check = this.#check;
    const cutHere = (): unknown => world.after(latency(dice), client, () => this.#end(() => this.#listener.cut()));
    const outflow = new Outflow({
      world,
      faults,
      dice,
      name: client.name,
      sender: node.being,
      receiver: client,
      cut: (who) => {
        if (who !== 'nobody') cutHere();
        if (who === 'both') world.after(latency(dice), node.being, () => ws.vanish());
        this.#land();
      },
      endBetween: () => {
        outflow.break(false);
        world.after(latency(dice), node.being, () => ws.vanish());
        world.after(latency(dice), client, () => this.#end(() => this.#listener.closed(dice.pick([1000, 1001, 1012]))));
        this.#land();
      },
      giveUp: () => ws.vanish(),
    });
    const arrived = (text: string): void => {
      if (this.#isOver || isMute) return;
      world.tell(client.name, `hears ${text.slice(0, 90)}`);
      this.#listener.frame(text);
    };
    const socket = new SocketStandIn(outflow, arrived, (text) => check.sent(text));
    const ws = new WebSocketStandIn(outflow, {
      sent: (text) => check.sent(text),
      frame: arrived,
      closed: (code) => {
        this.#up(() => ws.vanish());
        this.#end(() => this.#listener.closed(code));
      },
      pinged: () => this.#up(() => (socket.bytesRead += 6)),
      closing: (code) => {
        // Where several tasks share a socket, each has its own end.
        if (code === 1000 && !isShared && !outflow.isBroken) check.ended();
        // As ws does with a peer that does not answer.
        world.after(CLOSE_MS, node.being, () => ws.terminate());
      },
      terminated: () => {
        outflow.break(dice.odds(0.5));
        cutHere();
      },
    });
    // The head of the upgrade's answer comes before any frame.
    outflow.send(130, () => !this.#isOver && this.#listener.opened());
    return { ws, socket };
  }

  #refuse(status: number, body: string, retryAfter?: string): void {
    // A browser sees no status of a refused upgrade.
    this.#end(() => (this.#context.sendsHeaders ? this.#listener.refused(status, body, retryAfter) : this.#listener.cut()));
  }

  #end(tell: () => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#land();
    tell();
  }

  #land(): void {
    if (this.#flight) this.#context.network.flights.delete(this.#flight);
    this.#flight = undefined;
  }
}
