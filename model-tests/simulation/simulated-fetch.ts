import type { SeededRandom } from '../support/seeded-random.ts';
import type { Entity } from './event-queue.ts';
import type { SimulatedAnswer } from './node-server.ts';
import { ResponseStandIn, type SimulatedRequest } from './http-stand-ins.ts';
import { latency, type Flight, type Network } from './network.ts';
import type { SimulatedNode } from './node.ts';
import { SendQueue } from './send-queue.ts';
import type { FaultKind } from './plan.ts';
import { BodyStandIn, responseOf } from './response-body.ts';
import type { StreamCheck } from './stream-check.ts';

/** What a client's fetch is made of. */
export interface SimulatedFetchDeps {
  readonly network: Network;
  readonly client: Entity;
  readonly random: SeededRandom;
  /** False while nothing of that kind gets out of the client's network. */
  gets(kind: 'sse' | 'request'): boolean;
  /** The status that a proxy answers everything with; undefined while none does. */
  proxied(): number | undefined;
  /** Looks at what a node sends over one stream. */
  readonly newCheck: () => StreamCheck;
}

/** A `fetch` that goes over the simulated network. */
export function simulatedFetch(deps: SimulatedFetchDeps): typeof fetch {
  return ((url: string, init: RequestInit) =>
    new Promise<Response>((resolve, reject) => new Exchange(deps, url, init, resolve, reject))) as typeof fetch;
}

const STREAM = /\/tasks\/([^/]+)\/events\/stream/;

/** One request and its answer. */
class Exchange {
  readonly #deps: SimulatedFetchDeps;
  readonly #signal: AbortSignal | undefined;
  readonly #resolve: (response: Response) => void;
  readonly #reject: (error: unknown) => void;
  readonly #flights = new Set<Flight>();
  #body: BodyStandIn | undefined;
  #isOver = false;

  constructor(
    deps: SimulatedFetchDeps,
    url: string,
    { method = 'GET', headers, body, signal }: RequestInit,
    resolve: (response: Response) => void,
    reject: (error: unknown) => void,
  ) {
    this.#deps = deps;
    this.#signal = signal ?? undefined;
    this.#resolve = resolve;
    this.#reject = reject;
    const target = url.slice(url.indexOf('/', 'https://'.length));
    const request: SimulatedRequest = {
      method,
      target,
      headers: headers as Record<string, string>,
      body: body == null ? undefined : (body as string),
    };
    signal?.addEventListener('abort', this.#onAbort);
    if (signal?.aborted) this.#fail(signal.reason);
    else this.#send(request, STREAM.test(target));
  }

  readonly #onAbort = (): void => {
    const reason: unknown = this.#signal?.reason;
    for (const flight of this.#flights) flight.clientGone();
    this.#body?.fail(reason);
    this.#fail(reason);
  };

  #send(request: SimulatedRequest, isStream: boolean): void {
    const { network, client, random, gets, proxied } = this.#deps;
    const { world, faults } = network;
    world.tell(client.name, `asks ${request.method} ${request.target.slice('/api/v1'.length)}`);
    const what = faults.strike(isStream ? 'stream' : 'request', client.name);
    const outMs = latency(random) + (what === 'slow' ? 1_000 + random.fraction() * 5_000 : 0);
    const fail = (why: string): unknown => world.after(outMs, client, () => this.#fail(new TypeError(why)));
    if (!gets(isStream ? 'sse' : 'request')) return void fail('The network is away.');
    const status = proxied();
    // As `fetch` does where it is told not to follow one.
    if (status === 302) return void fail('A redirect.');
    if (status !== undefined)
      return void this.#answer({ status, headers: { 'content-type': 'text/html' }, body: '<html>' }, outMs, undefined);
    if (what === 'lost') return void fail('The connection was refused.');
    if (what === 'silence') return;
    if (what === 'refused') return void this.#answer({ status: 502, headers: {}, body: 'Bad gateway' }, outMs, undefined);
    if (what === 'missing') return void this.#answer({ status: 426, headers: {}, body: '' }, outMs, undefined);
    const first = network.pick(random);
    if (!first) return void fail('Nobody listens.');
    this.#deliver(request, first, outMs, what);
    const second = what === 'repeated' ? network.pick(random) : undefined;
    if (second) this.#deliver(request, second, outMs + latency(random), undefined);
  }

  #deliver(request: SimulatedRequest, node: SimulatedNode, outMs: number, what: FaultKind | undefined): void {
    const { network, client, random } = this.#deps;
    const { world } = network;
    const response = new ResponseStandIn();
    const flight: Flight = {
      node,
      client,
      nodeGone: (silent) => {
        this.#land(flight);
        if (silent) return;
        world.after(latency(random), client, () => {
          this.#body?.fail(new TypeError('The connection was reset.'));
          this.#fail(new TypeError('The connection was reset.'));
        });
      },
      clientGone: () => {
        this.#land(flight);
        world.after(latency(random), node.entity, () => response.vanish());
      },
      between: (silent) => {
        response.sendQueue?.break(false);
        flight.clientGone();
        flight.nodeGone(silent);
      },
    };
    this.#flights.add(flight);
    network.flights.add(flight);
    const stream = STREAM.exec(request.target);
    if (stream) this.#prepareStream(response, node, flight, what, { taskId: stream[1] ?? '', cursor: request.headers['last-event-id'] });
    world.after(outMs, node.entity, () => {
      void node.server.handle(request, response).then((answer) => {
        if (answer) network.onAnswered(request, answer);
        if (answer && !response.destroyed) this.#answer(answer, latency(random), flight, what);
      });
    });
  }

  /** The response becomes a stream, unless it is refused. */
  #prepareStream(
    response: ResponseStandIn,
    node: SimulatedNode,
    flight: Flight,
    what: FaultKind | undefined,
    asked: { readonly taskId: string; readonly cursor: string | string[] | undefined },
  ): void {
    const { network, client, random, newCheck } = this.#deps;
    const { world, faults } = network;
    const check = newCheck();
    check.begin(asked.taskId, asked.cursor === undefined ? undefined : String(asked.cursor));
    const body = new BodyStandIn();
    const isHeld = what === 'buffered' || what === 'mute';
    const lose = (): void => body.fail(new TypeError('The stream was cut.'));
    const sendQueue = new SendQueue({
      world,
      faults,
      random,
      name: client.name,
      sender: node.entity,
      receiver: client,
      cut: (who) => {
        if (who !== 'nobody') world.after(latency(random), client, lose);
        // Half-open: what the client says from now on does not get through either.
        if (who === 'both') this.#vanish(response, node, flight);
        else this.#land(flight);
      },
      endBetween: () => {
        this.#vanish(response, node, flight);
        world.after(latency(random), client, () => body.end());
      },
      giveUp: () => {
        sendQueue.break(true);
        response.vanish();
      },
    });
    const arriveLater = (run: () => void): unknown => world.after(latency(random), client, run);
    response.sendQueue = sendQueue;
    response.onHead = (status) => {
      this.#body = body;
      const begin = (): void => {
        if (!this.#isOver) this.#settle(responseOf({ status, headers: {}, body: '' }, body));
      };
      if (what !== 'mute') sendQueue.send(100, begin);
    };
    response.onChunk = (bytes) => {
      if (sendQueue.isBroken) return;
      check.sent(bytes.toString('utf8'));
      sendQueue.send(bytes.length, () => {
        if (what === 'mute') return;
        const half = isHeld ? 0 : random.below(bytes.length * 4);
        if (half > 0 && half < bytes.length) {
          body.push(bytes.subarray(0, half));
          body.push(bytes.subarray(half));
        } else body.push(bytes, what === 'buffered');
      });
    };
    response.onEnd = () => {
      if (!sendQueue.isBroken) check.ended();
      sendQueue.send(5, () => body.end());
      sendQueue.whenTaken(() => response.vanish());
    };
    response.onDestroy = () => {
      sendQueue.break(random.odds(0.5));
      this.#land(flight);
      arriveLater(lose);
    };
  }

  #vanish(response: ResponseStandIn, node: SimulatedNode, flight: Flight): void {
    const { network, random } = this.#deps;
    response.sendQueue?.break(false);
    this.#land(flight);
    network.world.after(latency(random), node.entity, () => response.vanish());
  }

  #answer(answer: SimulatedAnswer, ms: number, flight: Flight | undefined, what?: FaultKind): void {
    const { network, client, random } = this.#deps;
    const { world } = network;
    if (what === 'reply lost')
      world.after(ms, client, () => {
        this.#fail(new TypeError('The connection was reset.'));
      });
    else
      world.after(ms, client, () => {
        if (this.#isOver) return;
        world.tell(client.name, `gets ${answer.status}, ${answer.body.length} bytes`);
        const body = new BodyStandIn();
        this.#body = body;
        const bytes = Buffer.from(answer.body);
        const half = what === 'torn' ? bytes.length >> 1 : bytes.length;
        if (half > 0) body.push(bytes.subarray(0, half));
        if (half === bytes.length) body.end();
        else world.after(latency(random), client, () => body.fail(new TypeError('The body was torn.')));
        this.#settle(responseOf(answer, body));
      });
    if (flight) this.#land(flight);
  }

  #settle(response: Response): void {
    this.#isOver = true;
    this.#resolve(response);
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#reject(error);
  }

  #land(flight: Flight): void {
    this.#flights.delete(flight);
    this.#deps.network.flights.delete(flight);
  }
}
