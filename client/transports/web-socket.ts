import type { Authorization } from '../auth/credentials.ts';
import { bearerToken } from '../auth/headers.ts';
import { refusedBy, thrownBy, verdictOn } from '../commands/answer.ts';
import { TaskBridgeClientError } from '../errors.ts';
import type { ConnectionInput } from '../observation/frame-decoder.ts';
import type { ClientSettings } from '../options.ts';
import { openSocket, type SocketPort } from './socket.ts';

/** What a WebSocket connection works with. */
export interface WebSocketRunDeps {
  readonly url: string;
  readonly taskId: string;
  readonly settings: ClientSettings;
  readonly sockets: SocketPort;
  readonly connection: ConnectionInput;
  readonly authorization: Authorization;
}

/** Opens a socket, subscribes, and hands frames to the decoder until it is closed. Returns what closes it. */
export function runWebSocket({ url, taskId, settings, sockets, connection, authorization }: WebSocketRunDeps): () => void {
  const { origin, network, limits } = settings;
  const { frameBytesMax } = limits;
  const token = sockets.sendsHeaders ? undefined : bearerToken(authorization.headers);
  let wasOpened = false;
  let isFlushing = false;
  const flush = (): void => {
    isFlushing = false;
    connection.flush();
  };
  const socket = openSocket(
    sockets,
    {
      taskId,
      url,
      // Asked for only with a token: browsers fail a connection whose server selects none of the offered.
      protocols: token === undefined ? [] : ['taskbridge.v1', `bearer.${base64url(token)}`],
      headers: sockets.sendsHeaders ? authorization.headers : {},
      frameBytesMax,
      networkChanges: network.changes,
    },
    {
      opened() {
        wasOpened = true;
        const { begunAfter, parts } = connection;
        const cursor = { ...(begunAfter !== null && { lastEventId: begunAfter }), ...(parts && { parts }) };
        socket.send(JSON.stringify({ action: 'subscribe', taskId, ...cursor }));
      },
      frame(text) {
        if (text !== undefined && text.length > frameBytesMax) return connection.lost(`a frame above ${frameBytesMax} bytes`);
        connection.frame(text);
        // Frames that came in one piece are told in one event.
        if (!isFlushing) queueMicrotask(flush);
        isFlushing = true;
      },
      closed(closeCode) {
        const reason = `closed with ${closeCode}`;
        if (!wasOpened) return connection.lost(reason, { kind: 'unopened' });
        const failure = new TaskBridgeClientError('CONNECTION_REFUSED', `The server ${reason}.`, { closeCode });
        const isUnknown = !origin.hasSpoken;
        connection.lost(reason, { kind: 'closed', closeCode, ...verdictOn(settings, failure), ...(isUnknown && { isUnknown }) });
      },
      cut(cause) {
        if (cause !== undefined) return connection.lost(...thrownBy(settings, cause));
        connection.lost(wasOpened ? 'cut' : 'not opened', { kind: wasOpened ? 'lost' : 'unopened' });
      },
      refused(status, body, retryAfter) {
        connection.lost(`the upgrade was answered ${status}`, { kind: 'refused', ...refusedBy(settings, status, body, retryAfter) });
      },
    },
  );
  return () => socket.close();
}

function base64url(text: string): string {
  const binary = Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join('');
  return btoa(binary).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}
