import type { RawData } from 'ws';
import type { ExtensionsGrantedFrame, SubscribeFrame, SubscriptionEndedFrame } from '../../../machines/wire/index.ts';
import type { TaskBridgeError } from '../../errors.ts';
import { askedParts } from '../../live/extensions.ts';
import { timerAfter } from '../../live/timer.ts';
import type { Subscription } from '../../live/subscription.ts';
import { Semaphore } from '../../live/semaphore.ts';
import type { Sharing } from '../../live/viewer.ts';
import { callerError } from '../error-response.ts';
import { closeCode } from '../status.ts';
import { readClientFrame } from './client-frame.ts';
import { closeCodes } from './close-codes.ts';
import type { SocketConnection, SocketSession } from './socket-connection.ts';
import { confirm } from './socket-session.ts';
import { WebSocketViewer, type ShownTasks } from './viewer.ts';

/** One task's part of the socket: asked for, and from when it was granted with its subscription. */
interface Channel {
  subscription?: Subscription;
}

/** Pages of the log that are read at once for one socket: one task's slow store is no other's. */
const READS_MAX = 4;

/** A socket that shows any number of tasks. Every subscribe frame is followed by exactly one end of its subscription. Source: protocol, "Extensions". */
export class MultiplexSession implements SocketSession, ShownTasks {
  readonly sharing: Sharing;
  readonly #connection: SocketConnection;
  readonly #channels = new Map<string, Channel>();
  /** Channels that were left while it was still found out whether the task may be shown. */
  #abandoned = 0;
  #cancelWait: (() => void) | undefined;

  constructor(connection: SocketConnection) {
    const channels = this.#channels;
    this.#connection = connection;
    this.sharing = {
      reads: new Semaphore(READS_MAX),
      get viewers() {
        return channels.size;
      },
    };
  }

  start(): void {
    const { ws, extensions = [] } = this.#connection;
    this.#cancelWait = this.#wait('No subscribe frame came in time.');
    const frame: ExtensionsGrantedFrame = { type: 'EXTENSIONS_GRANTED', extensions };
    ws.send(JSON.stringify(frame), { compress: false });
    ws.on('message', (data, isBinary) => this.#take(data, isBinary));
  }

  close(): void {
    this.#cancelWait?.();
    for (const { subscription } of this.#channels.values()) subscription?.close();
    this.#channels.clear();
  }

  ended(taskId: string): void {
    this.#end(taskId, this.#connection.deps.settings.terminalCloseCode, 'The log has ended.');
  }

  lost(taskId: string): void {
    this.#end(taskId, closeCodes.cut, 'The log cannot be read on now.');
  }

  #take(data: RawData, isBinary: boolean): void {
    const { ws, reading, deps } = this.#connection;
    const { settings, hub } = deps;
    if (ws.readyState !== ws.OPEN) return;
    if (isBinary) return this.#refuse(closeCodes.notText, 'Frames are text.');
    const frame = readClientFrame(data);
    if (frame.action === 'unreadable')
      return this.#refuse(settings.invalidFrameCloseCode, 'A frame must be {"action":"subscribe" or "unsubscribe","taskId":…}.');
    this.#leave(frame.taskId);
    if (frame.action === 'subscribe') this.#subscribe(frame);
    else if (frame.action === 'refused') this.#sendEnd(frame.taskId, settings.invalidFrameCloseCode, frame.fault);
    reading.awaitDrain(hub.options.viewerBytesMax);
  }

  #subscribe({ taskId, lastEventId, parts }: SubscribeFrame): void {
    const { auth, deps } = this.#connection;
    const { hub, service, logger } = deps;
    if (this.#channels.size + this.#abandoned >= hub.options.tasksPerSocketMax)
      return this.#sendEnd(taskId, closeCodes.full, 'This socket is full.');
    const channel: Channel = {};
    this.#channels.set(taskId, channel);
    this.#cancelWait?.();
    service.authorize(auth, taskId).then(
      () => this.#admit(taskId, channel, { cursor: lastEventId, parts }),
      (thrown: unknown) => this.#deny(taskId, channel, callerError(thrown, logger)),
    );
  }

  #admit(
    taskId: string,
    channel: Channel,
    { cursor, parts }: { readonly cursor: string | null | undefined; readonly parts: string | null | undefined },
  ): void {
    const { auth, extensions, deps } = this.#connection;
    const { hub, logger, records, waiting } = deps;
    if (!this.#isTaken(taskId, channel)) return;
    try {
      hub.assertRoom(auth.subject);
    } catch (thrown) {
      return this.#deny(taskId, channel, callerError(thrown, logger));
    }
    const viewer = new WebSocketViewer(this.#connection, taskId, this);
    confirm(viewer, taskId, cursor, records);
    waiting.delete(this.#connection);
    channel.subscription = hub.subscribe(taskId, viewer, cursor ?? undefined, {
      cutAt: auth.expiresAt,
      parts: askedParts(extensions, parts),
    });
  }

  #deny(taskId: string, channel: Channel, { code }: TaskBridgeError): void {
    if (!this.#isTaken(taskId, channel)) return;
    // A fault of ours: the client comes back, as after a cut.
    const isFinal = closeCode[code] === closeCodes.refused;
    this.#end(taskId, isFinal ? closeCodes.refused : code === 'RATE_LIMITED' ? closeCodes.full : closeCodes.cut, code);
  }

  /** False for a channel that was left meanwhile, which is over with this. */
  #isTaken(taskId: string, channel: Channel): boolean {
    if (this.#channels.get(taskId) === channel) return true;
    this.#abandoned -= 1;
    return false;
  }

  #leave(taskId: string): void {
    const channel = this.#channels.get(taskId);
    if (!channel) return;
    if (channel.subscription) channel.subscription.close();
    else this.#abandoned += 1;
    this.#end(taskId, closeCodes.ended, 'Unsubscribed.');
  }

  #end(taskId: string, code: number, reason: string): void {
    this.#channels.delete(taskId);
    this.#sendEnd(taskId, code, reason);
    if (this.#channels.size > 0) return;
    this.#connection.deps.waiting.add(this.#connection);
    this.#cancelWait = this.#wait('No subscription is left.');
  }

  #sendEnd(taskId: string, code: number, reason: string): void {
    const { ws } = this.#connection;
    const frame: SubscriptionEndedFrame = { type: 'SUBSCRIPTION_ENDED', taskId, code, reason };
    if (ws.readyState === ws.OPEN) ws.send(JSON.stringify(frame), { compress: false });
  }

  /** No refusal either way: a frame may be on its way. */
  #wait(reason: string): () => void {
    const { ws, reading, deps } = this.#connection;
    const { clock, hub } = deps;
    return timerAfter(clock, hub.options.subscribeMs, () => {
      // What it asks meanwhile is not heard: it has its time when it is.
      if (reading.isHeld) this.#cancelWait = this.#wait(reason);
      else ws.close(closeCodes.ended, reason);
    });
  }

  #refuse(code: number, reason: string): void {
    this.close();
    this.#connection.ws.close(code, reason);
  }
}
