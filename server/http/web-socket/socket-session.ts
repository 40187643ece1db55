import type { RawData } from 'ws';
import { askedParts } from '../../live/extensions.ts';
import type { Subscription } from '../../live/subscription.ts';
import { timerAfter } from '../../live/timer.ts';
import type { RecordWriter } from '../../observability/record-writer.ts';
import type { RecordFields } from '../../observability/records-table.ts';
import { callerError } from '../error-response.ts';
import { closeCode } from '../status.ts';
import { readClientFrame } from './client-frame.ts';
import { closeCodes } from './close-codes.ts';
import { MultiplexSession } from './multiplex-session.ts';
import type { SocketConnection, SocketSession } from './socket-connection.ts';
import { WebSocketViewer, type ShownTasks } from './viewer.ts';

/** Opens the session of one socket; it lasts until the socket is closed. */
export function openSocketSession(connection: SocketConnection): void {
  const isMultiplex = connection.extensions?.includes('multiplex') ?? false;
  const session = isMultiplex ? new MultiplexSession(connection) : new SingleSession(connection);
  connection.keep(session);
  session.start();
}

/** A socket that shows one task: waits for the one frame that its client sends, and ignores what comes later. */
class SingleSession implements SocketSession, ShownTasks {
  readonly #connection: SocketConnection;
  #cancelWait: (() => void) | undefined;
  #subscription: Subscription | undefined;

  constructor(connection: SocketConnection) {
    this.#connection = connection;
  }

  start(): void {
    const { ws, deps } = this.#connection;
    const { clock, hub } = deps;
    // No refusal: the frame may be on its way, and a client that is told so for good would never come back.
    this.#cancelWait = timerAfter(clock, hub.options.subscribeMs, () => ws.close(closeCodes.ended, 'No subscribe frame came in time.'));
    ws.once('message', (data, isBinary) => {
      this.#endWait();
      void this.#subscribe(data, isBinary);
    });
  }

  close(): void {
    this.#endWait();
    this.#subscription?.close();
  }

  ended(): void {
    const { ws, deps } = this.#connection;
    ws.close(deps.settings.terminalCloseCode);
  }

  lost(taskId: string): void {
    const { ws, deps } = this.#connection;
    deps.service.forget(taskId);
    ws.terminate();
  }

  #endWait(): void {
    this.#cancelWait?.();
    this.#cancelWait = undefined;
  }

  async #subscribe(data: RawData, isBinary: boolean): Promise<void> {
    const { ws, auth, extensions, deps } = this.#connection;
    const { hub, settings, service, logger, records, waiting } = deps;
    if (isBinary) return ws.close(closeCodes.notText, 'Frames are text.');
    const frame = readClientFrame(data);
    if (frame.action === 'refused') return ws.close(settings.invalidFrameCloseCode, frame.fault);
    if (frame.action !== 'subscribe')
      return ws.close(settings.invalidFrameCloseCode, 'The first frame must be {"action":"subscribe","taskId":…,"lastEventId"?:…}.');
    const { taskId, lastEventId, parts } = frame;
    try {
      // Whose it is does not change, and where it is gone its log says so: who comes back waits for one answer of the store, not for two.
      await service.authorize(auth, taskId, true);
      if (ws.readyState !== ws.OPEN) return;
      // Others of this owner may have come since the upgrade, which tells the client so when it comes back.
      hub.assertRoom(auth.subject);
      const viewer = new WebSocketViewer(this.#connection, taskId, this);
      confirm(viewer, taskId, lastEventId, records);
      waiting.delete(this.#connection);
      this.#subscription = hub.subscribe(taskId, viewer, lastEventId ?? undefined, {
        cutAt: auth.expiresAt,
        parts: askedParts(extensions, parts),
      });
    } catch (thrown) {
      const error = callerError(thrown, logger);
      // On any close frame clients leave this transport; after a fault of ours they shall come back to it, as after a cut.
      if (closeCode[error.code] === closeCodes.refused) ws.close(closeCodes.refused, error.code);
      else ws.terminate();
    }
  }
}

/** Confirms a subscription, and records that it was prepared and confirmed. */
export function confirm(viewer: WebSocketViewer, taskId: string, cursor: string | null | undefined, records: RecordWriter): void {
  const { owner: userId, transport } = viewer;
  const fields: RecordFields = { taskId, ...(cursor && { eventId: cursor }), userId, transport };
  records('task.ws.subscription_prepared')?.(fields);
  viewer.confirm(cursor);
  records('ws.subscription.confirmed')?.(fields);
}
