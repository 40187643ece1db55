import type { RawData } from 'ws';
import type { ExtensionsGrantedFrame, SubscribeFrame, SubscriptionEndedFrame } from '../../../machines/index.ts';
import type { TaskBridgeError } from '../../errors.ts';
import { alarm } from '../../live/alarm.ts';
import type { Subscription } from '../../live/subscription.ts';
import { Turns } from '../../live/turns.ts';
import type { Sharing } from '../../live/viewer.ts';
import { callerError } from '../envelope.ts';
import { closeCode } from '../status.ts';
import { readClientFrame } from './client-frame.ts';
import { closeCodes } from './close-codes.ts';
import type { ConversationContext } from './conversation.ts';
import { WebSocketViewer } from './viewer.ts';

/** One task's place on the socket: asked for, and from when it was granted with its subscription. */
interface Seat {
  subscription?: Subscription;
}

/** Pages of the log that are read at once for one socket: one task's slow store is no other's. */
const READERS_MAX = 4;
const NOTHING = Buffer.alloc(0);

/** A socket that shows any number of tasks. Every subscribe frame is followed by exactly one end of its subscription. Source: protocol, "Extensions". */
export class Multiplex {
  private readonly context: ConversationContext;
  private readonly seats = new Map<string, Seat>();
  private readonly sharing: Sharing;
  /** Seats that were left while it was still found out whether the task may be shown. */
  private abandoned = 0;
  private cancelWait: () => void;

  constructor(context: ConversationContext) {
    const { seats } = this;
    this.context = context;
    this.sharing = {
      turns: new Turns(READERS_MAX),
      get viewers() {
        return seats.size;
      },
    };
    this.cancelWait = this.wait(closeCodes.refused, 'No subscribe frame came in time.');
  }

  start(): void {
    const { ws, socket, extensions = [] } = this.context;
    const frame: ExtensionsGrantedFrame = { type: 'EXTENSIONS_GRANTED', extensions };
    ws.send(JSON.stringify(frame));
    ws.on('message', (data, isBinary) => this.take(data, isBinary));
    ws.once('close', () => this.clear());
    socket.once('end', () => this.clear());
  }

  private take(data: RawData, isBinary: boolean): void {
    const { ws } = this.context;
    if (ws.readyState !== ws.OPEN) return;
    if (isBinary) return this.refuse(closeCodes.notText, 'Frames are text.');
    const frame = readClientFrame(data);
    if (frame.action === 'unreadable')
      return this.refuse(closeCodes.refused, 'A frame must be {"action":"subscribe" or "unsubscribe","taskId":…}.');
    this.leave(frame.taskId);
    if (frame.action === 'subscribe') this.subscribe(frame);
    else if (frame.action === 'refused') this.tellEnd(frame.taskId, closeCodes.refused, 'REQUEST_VALIDATION_ERROR');
    this.waitForReader();
  }

  private subscribe({ taskId, lastEventId }: SubscribeFrame): void {
    const { hub, auth, service, logger } = this.context;
    if (this.seats.size + this.abandoned >= hub.options.tasksPerSocketMax)
      return this.tellEnd(taskId, closeCodes.full, 'This socket is full.');
    const seat: Seat = {};
    this.seats.set(taskId, seat);
    this.cancelWait();
    service.authorize(auth, taskId).then(
      () => this.admit(taskId, seat, lastEventId),
      (thrown: unknown) => this.deny(taskId, seat, callerError(thrown, logger)),
    );
  }

  private admit(taskId: string, seat: Seat, cursor: string | null | undefined): void {
    const { ws, socket, auth, extensions, hub, clock, logger, onSubscribed } = this.context;
    if (!this.isTaken(taskId, seat)) return;
    try {
      hub.assertRoom(auth.subject);
    } catch (thrown) {
      return this.deny(taskId, seat, callerError(thrown, logger));
    }
    const viewer = new WebSocketViewer({
      taskId,
      owner: auth.subject,
      ws,
      socket,
      extensions,
      clock,
      sharing: this.sharing,
      onEnd: () => this.end(taskId, closeCodes.ended, 'The log has ended.'),
      onLost: () => this.end(taskId, closeCodes.cut, 'The log cannot be read on now.'),
    });
    viewer.confirm(cursor);
    onSubscribed();
    seat.subscription = hub.watch(taskId, viewer, cursor ?? undefined, { cutAt: auth.expiresAt });
  }

  private deny(taskId: string, seat: Seat, { code }: TaskBridgeError): void {
    if (!this.isTaken(taskId, seat)) return;
    // A fault of ours: the client comes back, as after a cut.
    const isFinal = closeCode[code] === closeCodes.refused;
    this.end(taskId, isFinal ? closeCodes.refused : code === 'RATE_LIMITED' ? closeCodes.full : closeCodes.cut, code);
  }

  /** False for a seat that was left meanwhile, which is over with this. */
  private isTaken(taskId: string, seat: Seat): boolean {
    if (this.seats.get(taskId) === seat) return true;
    this.abandoned -= 1;
    return false;
  }

  private leave(taskId: string): void {
    const seat = this.seats.get(taskId);
    if (!seat) return;
    if (seat.subscription) seat.subscription.close();
    else this.abandoned += 1;
    this.end(taskId, closeCodes.ended, 'Unsubscribed.');
  }

  private end(taskId: string, code: number, reason: string): void {
    this.seats.delete(taskId);
    this.tellEnd(taskId, code, reason);
    if (this.seats.size > 0) return;
    this.context.onIdle();
    this.cancelWait = this.wait(closeCodes.ended, 'No subscription is left.');
  }

  private tellEnd(taskId: string, code: number, reason: string): void {
    const { ws } = this.context;
    const frame: SubscriptionEndedFrame = { type: 'SUBSCRIPTION_ENDED', taskId, code, reason };
    if (ws.readyState === ws.OPEN) ws.send(JSON.stringify(frame));
  }

  /** Who does not take the answers is not listened to until it has. */
  private waitForReader(): void {
    const { ws, socket, hub } = this.context;
    if (ws.isPaused || socket.writableLength <= hub.options.viewerBytesMax) return;
    ws.pause();
    socket.write(NOTHING, () => ws.resume());
  }

  private wait(code: number, reason: string): () => void {
    const { ws, clock, hub } = this.context;
    return alarm(clock, clock.now() + hub.options.subscribeMs, () => ws.close(code, reason));
  }

  private refuse(code: number, reason: string): void {
    this.clear();
    this.context.ws.close(code, reason);
  }

  private clear(): void {
    this.cancelWait();
    for (const { subscription } of this.seats.values()) subscription?.close();
    this.seats.clear();
  }
}
