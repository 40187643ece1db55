import { channelPhases, type ChannelEffect, type ChannelEventType, type ChannelPhase } from './channel.phases.ts';
import { multiplexedPhases, type SocketEffect, type SocketEventType, type SocketPhase } from './multiplexed.phases.ts';
import type { Socket, SocketListener, SocketPort, SocketRequest } from './socket.ts';

/** One task on its way: what it asked for, and who hears of it. */
export interface Rider {
  readonly request: SocketRequest;
  readonly listener: SocketListener;
  phase: ChannelPhase;
  /** Undefined when it is over. */
  carrier: Carrier | undefined;
}

/** One socket, and the tasks on it. */
export interface Carrier {
  readonly phase: SocketPhase;
  /** Whether there is, or may be, room for this task. */
  takes(rider: Rider): boolean;
  add(rider: Rider): void;
  send(text: string): void;
  /** The rider leaves by itself and hears nothing more. */
  drop(rider: Rider): void;
}

/** What the effects of an event need to know of it. */
interface About {
  readonly rider?: Rider;
  readonly head?: Head;
  readonly text?: string | undefined;
  /** Says how the socket, or the subscription, ended. */
  readonly tell?: (listener: SocketListener) => void;
}

/** Opens a socket. Who cannot stay on it is handed to `board` again. */
export function createCarrier(sockets: SocketPort, request: SocketRequest, board: (rider: Rider) => void, onOver: () => void): Carrier {
  return new SocketCarrier(sockets, request, board, onOver);
}

/** What becomes of the socket and of each task on it is decided by their tables; here is what their effects do. */
class SocketCarrier implements Carrier {
  readonly #board: (rider: Rider) => void;
  readonly #onOver: () => void;
  readonly #socket: Socket;
  readonly #riders = new Map<string, Rider>();
  /** Subscriptions that were left and that the server has not ended yet: what comes for their task until then is theirs. */
  readonly #former = new Map<string, number>();
  #phase: SocketPhase = multiplexedPhases.initial.to;

  constructor(sockets: SocketPort, request: SocketRequest, board: (rider: Rider) => void, onOver: () => void) {
    this.#board = board;
    this.#onOver = onOver;
    this.#socket = sockets.open(request, {
      opened: () => this.#onSocket('socket.opened'),
      frame: (text) => {
        const head = readHead(text);
        this.#onSocket(kindOf(head), { head, text });
      },
      closed: (closeCode) => this.#onSocket('socket.lost', { tell: (listener) => listener.closed(closeCode) }),
      cut: () => this.#onSocket('socket.lost', { tell: (listener) => listener.cut() }),
      refused: (...answer) => this.#onSocket('socket.lost', { tell: (listener) => listener.refused(...answer) }),
    });
  }

  get phase(): SocketPhase {
    return this.#phase;
  }

  takes({ request: { taskId } }: Rider): boolean {
    return multiplexedPhases.phases[this.#phase].tags?.includes('boarding') === true && !this.#riders.has(taskId);
  }

  add(rider: Rider): void {
    rider.carrier = this;
    this.#riders.set(rider.request.taskId, rider);
    this.#onSocket('channel.added', { rider });
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  drop(rider: Rider): void {
    this.#onChannel(rider, 'channel.closed');
  }

  #onSocket(event: SocketEventType, about: About = {}): void {
    const cell = multiplexedPhases.phases[this.#phase].on[event];
    if (typeof cell === 'string') return;
    this.#phase = cell.to ?? this.#phase;
    for (const effect of cell.effects) this.#performOnSocket(effect, about);
  }

  #onChannel(rider: Rider, event: ChannelEventType, about: About = {}): void {
    const cell = channelPhases.phases[rider.phase].on[event];
    if (typeof cell === 'string') return;
    rider.phase = cell.to ?? rider.phase;
    for (const effect of cell.effects) this.#performOnChannel(effect, rider, about);
  }

  #performOnChannel(effect: ChannelEffect, rider: Rider, { text, tell }: About): void {
    switch (effect) {
      case 'tellOpened':
        return rider.listener.opened();
      case 'deliver':
        return rider.listener.frame(text);
      case 'tellEnd':
        return tell?.(rider.listener);
      case 'leave':
        return this.#leave(rider);
      case 'unsubscribe':
        return this.#onSocket('channel.unsubscribed', { rider });
      case 'fillSocket':
        return this.#onSocket('channel.refused');
      case 'board':
        return this.#board(rider);
    }
  }

  #performOnSocket(effect: SocketEffect, { rider, head, text, tell }: About): void {
    switch (effect) {
      case 'inviteFirst':
        return [...this.#riders.values()].slice(0, 1).forEach((first) => this.#invite(first));
      case 'inviteAll':
        return [...this.#riders.values()].forEach((each) => this.#invite(each));
      case 'inviteLater':
        // Whoever opens a socket hears of it later.
        return rider && queueMicrotask(() => this.#invite(rider));
      case 'sendWaitingOn':
        return this.#sendWaitingOn();
      case 'unsubscribeFormer':
        return [...this.#former.keys()].forEach((taskId) => this.#unsubscribe(taskId));
      case 'lookRound':
        return this.#lookRound();
      case 'tellAll':
        return this.#tellAll(text);
      case 'route':
        return head && this.#route(head, text);
      case 'noteFormer':
        if (rider) this.#former.set(rider.request.taskId, (this.#former.get(rider.request.taskId) ?? 0) + 1);
        return;
      case 'sendUnsubscribe':
        return rider && this.#unsubscribe(rider.request.taskId);
      case 'forget':
        return this.#onOver();
      case 'closeSocket':
        return this.#socket.close();
      case 'tellUnopened':
        return this.#tellEnd('socket.unopened', tell);
      case 'tellGone':
        return this.#tellEnd('socket.gone', tell);
    }
  }

  #invite(rider: Rider): void {
    if (rider.carrier === this) this.#onChannel(rider, 'place.given');
  }

  #unsubscribe(taskId: string): void {
    this.#socket.send(JSON.stringify({ action: 'unsubscribe', taskId }));
  }

  /** The one that has asked stays. */
  #sendWaitingOn(): void {
    for (const rider of [...this.#riders.values()]) {
      if (rider.phase === 'waiting') this.#riders.delete(rider.request.taskId);
      this.#onChannel(rider, 'place.denied');
    }
  }

  #tellAll(text: string | undefined): void {
    for (const rider of [...this.#riders.values()]) this.#onChannel(rider, 'frame.came', { text });
  }

  #route({ type, taskId, code }: Head, text: string | undefined): void {
    const left = this.#former.get(taskId);
    const rider = this.#riders.get(taskId);
    const isEnd = type === 'SUBSCRIPTION_ENDED';
    if (left !== undefined) {
      if (isEnd && left > 1) this.#former.set(taskId, left - 1);
      else if (isEnd) this.#former.delete(taskId);
    } else if (rider && isEnd) {
      this.#onChannel(rider, this.#endOf(rider, code), {
        tell: (listener) => (isCloseCode(code) ? listener.closed(code) : listener.cut()),
      });
    } else if (rider) this.#onChannel(rider, type === 'SUBSCRIPTION_CONFIRMED' ? 'frame.confirmed' : 'frame.came', { text });
    // For nobody, so a fault of the socket: everybody is to judge it.
    else this.#tellAll(text);
  }

  #endOf(rider: Rider, code: unknown): ChannelEventType {
    if (code === ENDED) return 'ended.done';
    // Where it shows nobody else, another socket would have no room either.
    const showsOthers = [...this.#riders.values()].some((other) => other !== rider && other.phase === 'confirmed');
    if (code === FULL && showsOthers) return 'ended.full';
    return isCloseCode(code) ? 'ended.closed' : 'ended.cut';
  }

  #leave(rider: Rider): void {
    this.#riders.delete(rider.request.taskId);
    rider.carrier = undefined;
    this.#onSocket('channel.removed');
    this.#lookRound();
  }

  #lookRound(): void {
    if (this.#riders.size === 0) this.#onSocket('channels.gone');
  }

  #tellEnd(event: 'socket.unopened' | 'socket.gone', tell: About['tell']): void {
    const all = [...this.#riders.values()];
    this.#riders.clear();
    for (const rider of all) {
      if (rider.carrier !== this) continue;
      rider.carrier = undefined;
      this.#onChannel(rider, event, tell && { tell });
    }
  }
}

const ENDED = 1000;
const CUT = 1006;
const FULL = 1013;

function isCloseCode(code: unknown): code is number {
  return typeof code === 'number' && code !== CUT;
}

interface Head {
  readonly type?: unknown;
  readonly taskId: string;
  readonly code?: unknown;
  readonly extensions?: unknown;
}

/** What a frame says of the socket. */
function kindOf({ type, extensions }: Head): SocketEventType {
  const isGranted = Array.isArray(extensions) && extensions.includes('multiplex');
  if (type === 'EXTENSIONS_GRANTED') return isGranted ? 'grant.given' : 'grant.withheld';
  return isGranted ? 'frame.granting' : 'frame.came';
}

/** As much as says whom a frame is for. Of a fact only its beginning is looked at: it is read whole by that one. */
function readHead(text: string | undefined): Head {
  const [, taskId] = /^\{"type":"TASK_\w+","taskId":"([^"\\]+)"/.exec(text ?? '') ?? [];
  if (taskId !== undefined) return { taskId };
  try {
    // Whatever it is, these four may be looked for in it; a task id that is no text is nobody's.
    return Object(JSON.parse(text as string)) as Head;
  } catch {
    return { taskId: '' };
  }
}
