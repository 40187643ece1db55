import type { Socket } from 'node:net';
import type { RawData, WebSocket } from 'ws';
import { askedParts } from '../../live/extensions.ts';
import { timerAfter, timerAt } from '../../live/timer.ts';
import type { StreamExtension } from '../../live/extensions.ts';
import type { LiveHub } from '../../live/hub.ts';
import type { AuthContext } from '../../ports/auth.ts';
import type { Clock } from '../../ports/clock.ts';
import type { RecordWriter } from '../../observability/record-writer.ts';
import type { RecordFields } from '../../observability/records-table.ts';
import type { Logger } from '../../ports/observability.ts';
import type { TaskService } from '../../task/service.ts';
import { callerError } from '../error-response.ts';
import { closeCode } from '../status.ts';
import { readClientFrame } from './client-frame.ts';
import { closeCodes } from './close-codes.ts';
import { keepAlive } from './liveness.ts';
import { MultiplexSession } from './multiplex-session.ts';
import type { WebSocketStreamSettings } from './settings.ts';
import type { SocketReading } from './reading.ts';
import { WebSocketViewer } from './viewer.ts';

/** What the session of one accepted socket works with. */
export interface SocketSessionDeps {
  readonly ws: WebSocket;
  /** The connection under it. */
  readonly socket: Socket;
  readonly auth: AuthContext;
  readonly extensions: readonly StreamExtension[] | undefined;
  readonly hub: LiveHub;
  readonly settings: WebSocketStreamSettings;
  readonly service: Pick<TaskService, 'authorize' | 'forget'>;
  readonly clock: Clock;
  readonly logger: Logger | undefined;
  readonly records: RecordWriter;
  readonly reading: SocketReading;
  /** The socket watches a task now; the hub looks after it. */
  readonly onSubscribed: () => void;
  /** It watches none any more, and stays for a while. */
  readonly onIdle: () => void;
}

/** Opens the session of one socket; it lasts until the socket is closed. */
export function openSocketSession(deps: SocketSessionDeps): void {
  const { ws, socket, auth, hub, clock, extensions } = deps;
  const stopPings = keepAlive(ws, socket, clock, hub.options.heartbeatMs);
  // Whatever it watches, and if nothing: it is the credentials' socket.
  if (auth.expiresAt !== undefined)
    ws.on(
      'close',
      timerAt(clock, auth.expiresAt, () => ws.terminate()),
    );
  // With `on`, as each of these comes once only: `once` keeps two objects more for each socket.
  ws.on('close', stopPings);
  // Half a connection is none: whoever stops sending is gone, whatever is still unsent.
  socket.on('end', () => ws.terminate());
  if (extensions?.includes('multiplex')) new MultiplexSession(deps).start();
  else awaitSubscribe(deps);
}

/** Waits for the one frame that a client sends, then shows it its task. Later frames are ignored. */
function awaitSubscribe(deps: SocketSessionDeps): void {
  const { ws, clock, hub } = deps;
  // No refusal: the frame may be on its way, and a client that is told so for good would never come back.
  const cancelWait = timerAfter(clock, hub.options.subscribeMs, () => ws.close(closeCodes.ended, 'No subscribe frame came in time.'));
  ws.once('message', (data, isBinary) => {
    cancelWait();
    ws.off('close', cancelWait);
    void subscribe(deps, data, isBinary);
  });
  ws.on('close', cancelWait);
}

/** Confirms a subscription, and records that it was prepared and confirmed. */
export function confirm(viewer: WebSocketViewer, taskId: string, cursor: string | null | undefined, records: RecordWriter): void {
  const { owner: userId, transport } = viewer;
  const fields: RecordFields = { taskId, ...(cursor && { eventId: cursor }), userId, transport };
  records('task.ws.subscription_prepared')?.(fields);
  viewer.confirm(cursor);
  records('ws.subscription.confirmed')?.(fields);
}

async function subscribe(deps: SocketSessionDeps, data: RawData, isBinary: boolean): Promise<void> {
  const { ws, socket, auth, extensions, hub, settings, service, logger, records } = deps;
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
    const owner = auth.subject;
    // Others of this owner may have come since the upgrade, which tells the client so when it comes back.
    hub.assertRoom(owner);
    const onEnd = (): void => ws.close(settings.terminalCloseCode);
    const onCutTask = (): void => {
      service.forget(taskId);
      ws.terminate();
    };
    const viewer = new WebSocketViewer({ taskId, owner, ws, socket, extensions, settings, onEnd, onCutTask });
    confirm(viewer, taskId, lastEventId, records);
    deps.onSubscribed();
    const subscription = hub.subscribe(taskId, viewer, lastEventId ?? undefined, {
      cutAt: auth.expiresAt,
      parts: askedParts(extensions, parts),
    });
    const leave = (): void => subscription.close();
    ws.on('close', leave);
    socket.on('end', leave);
  } catch (thrown) {
    const error = callerError(thrown, logger);
    // On any close frame clients leave this transport; after a fault of ours they shall come back to it, as after a cut.
    if (closeCode[error.code] === closeCodes.refused) ws.close(closeCodes.refused, error.code);
    else ws.terminate();
  }
}
