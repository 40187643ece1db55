import type { ServerResponse } from 'node:http';
import type { WebSocket } from 'ws';
import { rejectUpgrade, startBareServer, type Upgrade } from '../../conformance/client/bare-server.ts';

/** What a client can ask of the server. */
export type RequestKind = 'ws' | 'sse' | 'poll' | 'get';

/** An error envelope, or a part of one. */
export interface ErrorReply {
  readonly status: number;
  readonly code?: string;
  readonly retryAfterSeconds?: number;
}

/** One request or connection, held until the test says what becomes of it. */
export interface HeldRequest {
  readonly kind: RequestKind;
  readonly isOpen: boolean;
  /** Ends it without a word: before an answer, within a body, or without a Close frame. */
  cut(): void;
  /** An answer that is no success. */
  refuse(refusal: ErrorReply): void;
  /** The whole answer to a poll or a snapshot. */
  answer(status: number, body: string, headers?: Readonly<Record<string, string>>): void;
  /** Bytes of a stream, which begins with the first of them; without any a head alone goes out. */
  write(text: string): void;
  /** A proper end of a stream. */
  end(): void;
  /** Takes the upgrade, once; resolves when the client has subscribed. */
  accept(): Promise<void>;
  /** Text frames, in one piece. */
  send(...frames: readonly (string | Buffer)[]): void;
  /** A Close frame; without a code one that has none. */
  closeWith(code: number | undefined): void;
}

/** A real server on loopback that does nothing by itself. */
export interface ManualServer {
  readonly baseUrl: string;
  /** Everything that came, in order. */
  readonly came: readonly HeldRequest[];
  readonly open: readonly HeldRequest[];
  /** Forgets what came before. */
  forget(): void;
  close(): Promise<void>;
}

/** Without a code it is a proxy that answers. */
const envelopeOf = (code: string | undefined): string => JSON.stringify(code === undefined ? {} : { code, message: `It is ${code}.` });

const wrong = (what: string) => (): never => {
  throw new Error(`This request cannot ${what}.`);
};
const impossible = {
  answer: wrong('be answered'),
  write: wrong('stream'),
  end: wrong('end'),
  accept: wrong('be upgraded'),
  send: wrong('take frames'),
  closeWith: wrong('be closed'),
};

/**
 * Holds an HTTP request. Connections are not kept, so that what stays open was left open by the client. Streams do not say so beforehand:
 * Node's fetch takes a cut for a proper end where they do.
 */
function holdRequest(kind: RequestKind, response: ServerResponse): HeldRequest {
  let isOpen = true;
  response.on('close', () => (isOpen = false));
  response.on('finish', () => response.socket?.end());
  const answer = (status: number, body: string, headers: Record<string, string> = {}): void =>
    void response.writeHead(status, { 'content-type': 'application/json', connection: 'close', ...headers }).end(body);
  return {
    ...impossible,
    kind,
    get isOpen() {
      return isOpen;
    },
    cut: () => void response.socket?.destroy(),
    refuse: ({ status, code, retryAfterSeconds }) =>
      answer(status, envelopeOf(code), retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
    answer: (status, body, headers) =>
      status === 204 ? void response.writeHead(204, { connection: 'close' }).end() : answer(status, body, headers),
    write(text) {
      if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' });
      if (text === '') response.flushHeaders();
      else response.write(text);
    },
    end() {
      if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end();
    },
  };
}

/** Holds an upgrade, and the WebSocket that it becomes. */
function holdUpgrade({ socket, take }: Upgrade): HeldRequest {
  let isOpen = true;
  let taken: WebSocket | undefined;
  socket.on('close', () => (isOpen = false));
  // Nothing is read of a held upgrade, and a socket that is not read does not notice its end.
  socket.on('end', () => socket.end()).resume();
  return {
    ...impossible,
    kind: 'ws',
    get isOpen() {
      return isOpen;
    },
    cut: () => void socket.destroy(),
    refuse: ({ status, code, retryAfterSeconds }) =>
      rejectUpgrade(
        socket,
        status,
        JSON.parse(envelopeOf(code)) as object,
        retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) },
      ),
    async accept() {
      taken ??= (await take()).webSocket;
    },
    send(...frames) {
      socket.cork();
      for (const frame of frames) taken?.send(frame);
      socket.uncork();
    },
    closeWith: (code) => taken?.close(code),
  };
}

export async function createManualServer(): Promise<ManualServer> {
  let came: HeldRequest[] = [];
  const { url: baseUrl, close } = await startBareServer({
    request: ({ kind, response }) => void came.push(holdRequest(kind === 'post' || kind === 'shared' ? 'get' : kind, response)),
    upgrade: (upgrade) => void came.push(holdUpgrade(upgrade)),
  });
  return {
    baseUrl,
    get came() {
      return came;
    },
    get open() {
      return came.filter(({ isOpen }) => isOpen);
    },
    forget: () => (came = []),
    close,
  };
}
