import { channelPhases, type ChannelEffect, type ChannelEventType, type ChannelPhase } from './channel.phases.ts';
import { multiplexedPhases, type SocketEffect, type SocketEventType, type SocketPhase } from './multiplexed.phases.ts';
import { CUT, FULL, readSharedFrame, type SharedFrameHead } from './shared-frame.ts';
import { openSocket, type Socket, type SocketListener, type SocketPort, type SocketRequest } from './socket.ts';

/** One task's part of a socket: what it asked for, and who is told of it. */
export interface SocketChannel {
  readonly request: SocketRequest;
  readonly listener: SocketListener;
  phase: ChannelPhase;
  /** Where it is; undefined where it is nowhere any more. */
  socket: MultiplexedSocket | undefined;
}

/** One WebSocket, and the channels on it. */
export interface MultiplexedSocket {
  readonly phase: SocketPhase;
  /** Whether there is, or may be, room for this channel. */
  takes(channel: SocketChannel): boolean;
  add(channel: SocketChannel): void;
  send(text: string): void;
  /** The channel leaves by itself and is told nothing more. */
  remove(channel: SocketChannel): void;
}

/** What the effects of an event need to know of it. */
interface About {
  readonly channel?: SocketChannel;
  readonly head?: SharedFrameHead;
  readonly text?: string | undefined;
  /** Says how the socket, or the subscription, ended. */
  readonly tell?: (listener: SocketListener) => void;
}

/** Opens a socket. A channel that cannot stay on it is handed to `attach` again. */
export function createMultiplexedSocket(
  sockets: SocketPort,
  request: SocketRequest,
  attach: (channel: SocketChannel) => void,
  onOver: () => void,
): MultiplexedSocket {
  return new SharedSocket(sockets, request, attach, onOver);
}

/** What a server shows on one socket that was told nothing else. Thousands that would ask one socket, to be told that it is full, would ask for minutes. */
const TASKS_MAX = 256;

/** What becomes of the socket and of each channel on it is decided by their tables; here is what their effects do. */
class SharedSocket implements MultiplexedSocket {
  readonly #attach: (channel: SocketChannel) => void;
  readonly #onOver: () => void;
  readonly #socket: Socket;
  readonly #channels = new Map<string, SocketChannel>();
  /** How many subscriptions of a task were left and are not ended by the server yet: what comes for the task until then is theirs. */
  readonly #former = new Map<string, number>();
  #phase: SocketPhase = multiplexedPhases.initial.to;

  constructor(sockets: SocketPort, request: SocketRequest, attach: (channel: SocketChannel) => void, onOver: () => void) {
    this.#attach = attach;
    this.#onOver = onOver;
    this.#socket = openSocket(sockets, request, {
      opened: () => this.#onSocket('socket.opened'),
      frame: (text) => {
        const head = readSharedFrame(text);
        this.#onSocket(kindOf(head), { head, text });
      },
      closed: (closeCode) => this.#onSocket('socket.lost', { tell: (listener) => listener.closed(closeCode) }),
      cut: (cause) => this.#onSocket('socket.lost', { tell: (listener) => listener.cut(cause) }),
      refused: (...answer) => this.#onSocket('socket.lost', { tell: (listener) => listener.refused(...answer) }),
    });
  }

  get phase(): SocketPhase {
    return this.#phase;
  }

  takes({ request: { taskId } }: SocketChannel): boolean {
    const channels = this.#channels;
    return (
      multiplexedPhases.phases[this.#phase].tags?.includes('attachable') === true && channels.size < TASKS_MAX && !channels.has(taskId)
    );
  }

  add(channel: SocketChannel): void {
    channel.socket = this;
    this.#channels.set(channel.request.taskId, channel);
    this.#onSocket('channel.added', { channel });
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  remove(channel: SocketChannel): void {
    this.#onChannel(channel, 'channel.closed');
  }

  #onSocket(event: SocketEventType, about: About = {}): void {
    const cell = multiplexedPhases.phases[this.#phase].on[event];
    if (typeof cell === 'string') return;
    this.#phase = cell.to ?? this.#phase;
    for (const effect of cell.effects) this.#performOnSocket(effect, about);
  }

  #onChannel(channel: SocketChannel, event: ChannelEventType, about: About = {}): void {
    const cell = channelPhases.phases[channel.phase].on[event];
    if (typeof cell === 'string') return;
    channel.phase = cell.to ?? channel.phase;
    for (const effect of cell.effects) this.#performOnChannel(effect, channel, about);
  }

  #performOnChannel(effect: ChannelEffect, channel: SocketChannel, { text, tell }: About): void {
    switch (effect) {
      case 'tellOpened':
        return channel.listener.opened();
      case 'deliver':
        return channel.listener.frame(text);
      case 'tellEnd':
        return tell?.(channel.listener);
      case 'leave':
        return this.#leave(channel);
      case 'unsubscribe':
        return this.#onSocket('channel.unsubscribed', { channel });
      case 'fillSocket':
        return this.#onSocket('channel.refused');
      case 'attach':
        return this.#attach(channel);
    }
  }

  #performOnSocket(effect: SocketEffect, { channel, head, text, tell }: About): void {
    switch (effect) {
      case 'openFirst':
        return [...this.#channels.values()].slice(0, 1).forEach((first) => this.#openChannel(first));
      case 'openAll':
        return [...this.#channels.values()].forEach((each) => this.#openChannel(each));
      case 'openLater':
        // Whoever opens a socket is told of it later.
        return channel && queueMicrotask(() => this.#openChannel(channel));
      case 'sendWaitingOn':
        return this.#sendWaitingOn();
      case 'unsubscribeFormer':
        return [...this.#former.keys()].forEach((taskId) => this.#unsubscribe(taskId));
      case 'checkEmpty':
        return this.#checkEmpty();
      case 'tellAll':
        return this.#tellAll(text);
      case 'route':
        return head && this.#route(head, text);
      case 'noteFormer':
        if (channel) this.#former.set(channel.request.taskId, (this.#former.get(channel.request.taskId) ?? 0) + 1);
        return;
      case 'sendUnsubscribe':
        return channel && this.#unsubscribe(channel.request.taskId);
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

  #openChannel(channel: SocketChannel): void {
    if (channel.socket === this) this.#onChannel(channel, 'place.given');
  }

  #unsubscribe(taskId: string): void {
    this.#socket.send(JSON.stringify({ action: 'unsubscribe', taskId }));
  }

  /** The one that has subscribed stays. */
  #sendWaitingOn(): void {
    for (const channel of [...this.#channels.values()]) {
      if (channel.phase === 'waiting') this.#channels.delete(channel.request.taskId);
      this.#onChannel(channel, 'place.denied');
    }
  }

  #tellAll(text: string | undefined): void {
    for (const channel of [...this.#channels.values()]) this.#onChannel(channel, 'frame.came', { text });
  }

  #route({ type, taskId, code }: SharedFrameHead, text: string | undefined): void {
    const left = this.#former.get(taskId);
    const channel = this.#channels.get(taskId);
    const isEnd = type === 'SUBSCRIPTION_ENDED';
    if (left !== undefined) {
      if (isEnd && left > 1) this.#former.set(taskId, left - 1);
      else if (isEnd) this.#former.delete(taskId);
    } else if (channel && isEnd) {
      this.#onChannel(channel, this.#endOf(channel, code), {
        tell: (listener) => (isCloseCode(code) ? listener.closed(code) : listener.cut()),
      });
    } else if (channel) this.#onChannel(channel, type === 'SUBSCRIPTION_CONFIRMED' ? 'frame.confirmed' : 'frame.came', { text });
    // For nobody, so a fault of the socket: everybody is to judge it.
    else this.#tellAll(text);
  }

  #endOf(channel: SocketChannel, code: unknown): ChannelEventType {
    if (code === ENDED) return 'ended.done';
    // Where it shows nobody else, another socket would have no room either.
    const showsOthers = [...this.#channels.values()].some((other) => other !== channel && other.phase === 'confirmed');
    if (code === FULL && showsOthers) return 'ended.full';
    return isCloseCode(code) ? 'ended.closed' : 'ended.cut';
  }

  #leave(channel: SocketChannel): void {
    this.#channels.delete(channel.request.taskId);
    channel.socket = undefined;
    this.#onSocket('channel.removed');
    this.#checkEmpty();
  }

  #checkEmpty(): void {
    if (this.#channels.size === 0) this.#onSocket('channels.gone');
  }

  #tellEnd(event: 'socket.unopened' | 'socket.gone', tell: About['tell']): void {
    const all = [...this.#channels.values()];
    this.#channels.clear();
    for (const channel of all) {
      if (channel.socket !== this) continue;
      channel.socket = undefined;
      this.#onChannel(channel, event, tell && { tell });
    }
  }
}

const ENDED = 1000;

function isCloseCode(code: unknown): code is number {
  return typeof code === 'number' && code !== CUT;
}

/** What a frame says of the socket. */
function kindOf({ type, extensions }: SharedFrameHead): SocketEventType {
  const isGranted = Array.isArray(extensions) && extensions.includes('multiplex');
  if (type === 'EXTENSIONS_GRANTED') return isGranted ? 'grant.given' : 'grant.withheld';
  return isGranted ? 'frame.granting' : 'frame.came';
}
