import { connect, type Socket } from 'node:net';

/** One answer as it came over a bare socket. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A connection that writes what it is told, byte for byte. */
export interface RawConnection {
  readonly socket: Socket;
  /** Resolves when the socket took it; false once the other side is gone. */
  write(bytes: string | Uint8Array): Promise<boolean>;
  /** The first whole answer (by its Content-Length). Rejects where the connection ends before it. */
  readonly answer: Promise<RawAnswer>;
  readonly closed: Promise<void>;
}

/** Opens a bare connection. */
export function openRaw(port: number): RawConnection {
  const socket = connect(port, '127.0.0.1');
  let received = Buffer.alloc(0);
  const answer = new Promise<RawAnswer>((resolve, reject) => {
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      const parsed = parse(received);
      if (parsed) resolve(parsed);
    });
    socket.once('close', () => reject(new Error(`Closed before a whole answer: ${received.toString()}`)));
  });
  answer.catch(() => {});
  socket.on('error', () => {});
  return {
    socket,
    answer,
    closed: new Promise((resolve) => socket.once('close', () => resolve())),
    write: (bytes) => new Promise((resolve) => void (socket.destroyed ? resolve(false) : socket.write(bytes, (error) => resolve(!error)))),
  };
}

function parse(bytes: Buffer): RawAnswer | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [first = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const status = Number(first.split(' ')[1]);
  if (status === 100) return parse(bytes.subarray(end + 4));
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const length = Number(headers['content-length'] ?? 0);
  const body = bytes.subarray(end + 4);
  return body.length < length ? undefined : { status, headers, body: body.subarray(0, length).toString() };
}

/** A request head as text. */
export function head(line: string, headers: Readonly<Record<string, string | number>> = {}): string {
  const lines = Object.entries({ host: 'test', authorization: 'Bearer ada', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${line} HTTP/1.1\r\n${lines.join('')}\r\n`;
}
