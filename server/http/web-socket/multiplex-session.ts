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
import { confirm, type SocketSessionDeps } from './socket-session.ts';
import { WebSocketViewer } from './viewer.ts';

/** One task's part of the socket: asked for, and from when it was granted with its subscription. */
interface Channel {
  subscription?: Subscription;
}

/** Pages of the log that are read at once for one socket: one task's slow store is no other's. */
const READS_MAX = 4;

/** A socket that shows any number of tasks. Every subscribe frame is followed by exactly one end of its subscription. Source: protocol, "Extensions". */
export class MultiplexSession {
  readonly #deps: SocketSessionDeps;
  readonly #channels = new Map<string, Channel>();
  readonly #sharing: Sharing;
  /** Channels that were left while it was still found out whether the task may be shown. */
  #abandoned = 0;
  #cancelWait: () => void;

  constructor(deps: SocketSessionDeps) {
    const channels = this.#channels;
    this.#deps = deps;
    this.#sharing = {
      reads: new Semaphore(READS_MAX),
      get viewers() {
        return channels.size;
      },
    };
    this.#cancelWait = this.#wait('No subscribe frame came in time.');
  }

  start(): void {
    const { ws, socket, extensions = [] } = this.#deps;
    const frame: ExtensionsGrantedFrame = { type: 'EXTENSIONS_GRANTED', extensions };
    ws.send(JSON.stringify(frame), { compress: false });
    ws.on('message', (data, isBinary) => this.#take(data, isBinary));
    ws.once('close', () => this.#clear());
    socket.once('end', () => this.#clear());
  }

  #take(data: RawData, isBinary: boolean): void {
    const { ws, settings, reading, hub } = this.#deps;
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
    const { hub, auth, service, logger } = this.#deps;
    if (this.#channels.size + this.#abandoned >= hub.options.tasksPerSocketMax)
      return this.#sendEnd(taskId, closeCodes.full, 'This socket is full.');
    const channel: Channel = {};
    this.#channels.set(taskId, channel);
    this.#cancelWait();
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
    const { ws, socket, auth, extensions, hub, settings, logger, records, onSubscribed } = this.#deps;
    if (!this.#isTaken(taskId, channel)) return;
    try {
      hub.assertRoom(auth.subject);
    } catch (thrown) {
      return this.#deny(taskId, channel, callerError(thrown, logger));
    }
    const viewer = new WebSocketViewer({
      taskId,
      owner: auth.subject,
      ws,
      socket,
      extensions,
      settings,
      sharing: this.#sharing,
      onEnd: () => this.#end(taskId, settings.terminalCloseCode, 'The log has ended.'),
      onCutTask: () => this.#end(taskId, closeCodes.cut, 'The log cannot be read on now.'),
    });
    confirm(viewer, taskId, cursor, records);
    onSubscribed();
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
    this.#deps.onIdle();
    this.#cancelWait = this.#wait('No subscription is left.');
  }

  #sendEnd(taskId: string, code: number, reason: string): void {
    const { ws } = this.#deps;
    const frame: SubscriptionEndedFrame = { type: 'SUBSCRIPTION_ENDED', taskId, code, reason };
    if (ws.readyState === ws.OPEN) ws.send(JSON.stringify(frame), { compress: false });
  }

  /** No refusal either way: a frame may be on its way. */
  #wait(reason: string): () => void {
    const { ws, clock, hub } = this.#deps;
    return timerAfter(clock, hub.options.subscribeMs, () => {
      // What it asks meanwhile is not heard: it has its time when it is.
      if (this.#deps.reading.isHeld) this.#cancelWait = this.#wait(reason);
      else ws.close(closeCodes.ended, reason);
    });
  }

  #refuse(code: number, reason: string): void {
    this.#clear();
    this.#deps.ws.close(code, reason);
  }

  #clear(): void {
    this.#cancelWait();
    for (const { subscription } of this.#channels.values()) subscription?.close();
    this.#channels.clear();
  }
}
