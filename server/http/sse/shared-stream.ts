import type { ServerResponse } from 'node:http';
import { readPartCursors } from '../../../machines/parts/index.ts';
import { isCursor, type ExtensionsGrantedFrame, type SubscriptionEndedFrame } from '../../../machines/wire/index.ts';
import type { TaskBridgeError } from '../../errors.ts';
import { askedParts, type StreamExtension } from '../../live/extensions.ts';
import { Semaphore } from '../../live/semaphore.ts';
import type { Subscription } from '../../live/subscription.ts';
import type { Sharing } from '../../live/viewer.ts';
import type { Logger } from '../../ports/observability.ts';
import { callerError } from '../error-response.ts';
import type { SharedSseTask } from '../live-service.ts';
import { closeCode } from '../status.ts';
import { closeCodes } from '../web-socket/close-codes.ts';
import { dataEvent, preamble } from './frames.ts';
import { beginStream, StreamConnection, type ShownByStream, type StreamConnectionDeps, type StreamExchange } from './stream-connection.ts';
import { SseViewer, type StreamShare } from './viewer.ts';

/** What a stream of many tasks is opened with. */
export interface SharedSseStream extends StreamExchange {
  /** Each once. */
  readonly tasks: readonly SharedSseTask[];
  /** What is granted; `multiplex` is among it. */
  readonly extensions: readonly StreamExtension[];
  readonly logger: Logger | undefined;
}

/** Pages of the log that are read at once for one stream: one task's slow store is no other's. */
const READS_MAX = 4;

/**
 * Answers a request with the stream of many tasks: 200, what was granted, then for each task what its own stream would show, without ids, and exactly
 * one end. The response ends after the last of them. Throws `RATE_LIMITED` before anything is written. Source: protocol, "Many tasks over one stream".
 */
export function openSharedSse(stream: SharedSseStream, deps: StreamConnectionDeps): void {
  if (!beginStream(stream, deps)) return;
  const shown = new SharedStream(stream, deps);
  new StreamConnection(stream, deps, shown);
  shown.start();
}

class SharedStream implements ShownByStream, StreamShare {
  readonly sharing: Sharing;
  readonly #res: ServerResponse;
  readonly #deps: StreamConnectionDeps;
  readonly #stream: SharedSseStream;
  /** By the tasks that have no end yet. */
  readonly #shown = new Map<string, Subscription | undefined>();

  constructor(stream: SharedSseStream, deps: StreamConnectionDeps) {
    const shown = this.#shown;
    this.#res = stream.res;
    this.#deps = deps;
    this.#stream = stream;
    for (const { taskId } of stream.tasks) shown.set(taskId, undefined);
    this.sharing = {
      reads: new Semaphore(READS_MAX),
      get viewers() {
        return shown.size;
      },
    };
  }

  start(): void {
    const { tasks, extensions } = this.#stream;
    const frame: ExtensionsGrantedFrame = { type: 'EXTENSIONS_GRANTED', extensions };
    this.#write(Buffer.concat([preamble(this.#deps.settings.preambleBytes), dataEvent(frame)]));
    for (const task of tasks) this.#open(task);
  }

  close(): void {
    for (const subscription of this.#shown.values()) subscription?.close();
    this.#shown.clear();
  }

  ended(taskId: string): void {
    this.#end(taskId, closeCodes.ended, 'The log has ended.');
  }

  lost(taskId: string): void {
    this.#end(taskId, closeCodes.cut, 'The log cannot be read on now.');
  }

  #open({ taskId, cursor, parts, refusal }: SharedSseTask): void {
    const { auth, logger } = this.#stream;
    if (refusal) return this.#deny(taskId, refusal);
    if (cursor !== null && !isCursor(cursor)) return this.#end(taskId, closeCodes.refused, BAD_CURSOR);
    if (readPartCursors(parts ?? '') === undefined) return this.#end(taskId, closeCodes.refused, BAD_PARTS);
    try {
      this.#deps.hub.assertRoom(auth.subject);
    } catch (thrown) {
      return this.#deny(taskId, callerError(thrown, logger));
    }
    this.#show(taskId, cursor ?? undefined, parts);
  }

  #show(taskId: string, cursor: string | undefined, parts: string | undefined): void {
    const { auth, extensions } = this.#stream;
    const viewer = new SseViewer({ taskId, owner: auth.subject, res: this.#res, extensions, share: this }, this.#deps);
    viewer.open();
    this.#shown.set(
      taskId,
      this.#deps.hub.subscribe(taskId, viewer, cursor, { cutAt: auth.expiresAt, parts: askedParts(extensions, parts) }),
    );
  }

  #deny(taskId: string, { code }: TaskBridgeError): void {
    // A fault of ours: the client comes back, as after a cut.
    const isFinal = closeCode[code] === closeCodes.refused;
    this.#end(taskId, isFinal ? closeCodes.refused : code === 'RATE_LIMITED' ? closeCodes.full : closeCodes.cut, code);
  }

  #end(taskId: string, code: number, reason: string): void {
    const frame: SubscriptionEndedFrame = { type: 'SUBSCRIPTION_ENDED', taskId, code, reason };
    this.#write(dataEvent(frame));
    this.#shown.delete(taskId);
    if (this.#shown.size === 0) this.#res.end();
  }

  #write(bytes: Buffer): void {
    if (!this.#res.destroyed && !this.#res.writableEnded) this.#res.write(bytes);
  }
}

const BAD_CURSOR = 'lastEventId must be an event id like "12-1790000000000", "" or "0-0"';
const BAD_PARTS = 'parts must be at most 16 part cursors like "12-1790000000000.8040.<epoch>" for a task';
