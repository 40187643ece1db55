import type { Socket } from 'node:net';
import type { RawData, WebSocket } from 'ws';
import { subscribeFrame, type SubscribeFrame } from '../../../machines/index.ts';
import { alarm } from '../../live/alarm.ts';
import type { StreamExtension } from '../../live/extensions.ts';
import type { LiveHub } from '../../live/hub.ts';
import type { AuthContext } from '../../ports/auth.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/observability.ts';
import type { TaskService } from '../../task/service.ts';
import { callerError } from '../envelope.ts';
import { closeCode } from '../status.ts';
import { keepAlive } from './liveness.ts';
import { WebSocketViewer } from './viewer.ts';

/** What the conversation with one accepted socket needs. */
export interface ConversationContext {
  readonly ws: WebSocket;
  /** The connection under it. */
  readonly socket: Socket;
  readonly auth: AuthContext;
  readonly extensions: readonly StreamExtension[] | undefined;
  readonly hub: LiveHub;
  readonly service: Pick<TaskService, 'authorize'>;
  readonly clock: Clock;
  readonly logger: Logger | undefined;
  /** The socket watches its task now; the hub looks after it. */
  readonly onSubscribed: () => void;
}

/** Refused: final for clients. */
const POLICY = 1008;
const NO_TEXT = 1003;

/** Waits for the one frame that a client sends, then shows it its task. Later frames are ignored. */
export function converse(context: ConversationContext): void {
  const { ws, socket, hub, clock } = context;
  const cancelWait = alarm(clock, clock.now() + hub.options.subscribeMs, () => ws.close(POLICY, 'No subscribe frame came in time.'));
  const stopPings = keepAlive(ws, socket, clock, hub.options.heartbeatMs);
  // What breaks the protocol is answered by ws itself; the close follows.
  ws.on('error', () => undefined);
  ws.once('message', (data, isBinary) => {
    cancelWait();
    void subscribe(context, data, isBinary);
  });
  ws.once('close', () => {
    cancelWait();
    stopPings();
  });
  // Half a connection is none: whoever stops sending is gone, whatever is still unsent.
  socket.once('end', () => ws.terminate());
}

async function subscribe(context: ConversationContext, data: RawData, isBinary: boolean): Promise<void> {
  const { ws, socket, auth, extensions, hub, service, clock, logger } = context;
  if (isBinary) return ws.close(NO_TEXT, 'Frames are text.');
  const frame = parse(data);
  if (!frame) return ws.close(POLICY, 'The first frame must be {"action":"subscribe","taskId":…,"lastEventId"?:…}.');
  const { taskId, lastEventId } = frame;
  try {
    await service.authorize(auth, taskId);
    if (ws.readyState !== ws.OPEN) return;
    const viewer = new WebSocketViewer({ taskId, ws, socket, extensions, clock });
    viewer.confirm(lastEventId);
    context.onSubscribed();
    const subscription = hub.watch(taskId, viewer, lastEventId ?? undefined, { cutAt: auth.expiresAt });
    ws.once('close', () => subscription.close());
    socket.once('end', () => subscription.close());
  } catch (thrown) {
    const error = callerError(thrown, logger);
    // On any close frame clients leave this transport; after a fault of ours they shall come back to it, as after a cut.
    if (closeCode[error.code] === POLICY) ws.close(POLICY, error.code);
    else ws.terminate();
  }
}

function parse(data: RawData): SubscribeFrame | undefined {
  try {
    // Text frames come whole and as one buffer, the default `binaryType`.
    const parsed = subscribeFrame.safeParse(JSON.parse((data as Buffer).toString('utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
