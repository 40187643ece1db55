import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

/** What an attack has done so far. */
export interface Tally {
  /** Connections that were opened. */
  opened: number;
  /** Of these, how many the server has ended. */
  ended: number;
  /** Answers by their status, `101` for a taken upgrade, `close` for a close frame. */
  readonly answers: Record<string, number>;
}

/** What is attacked, and with how much. */
export interface Attacked {
  readonly port: number;
  /** Connections that are held, or loops of a flood. */
  readonly amount: number;
  /** A task of each owner: `owner → taskId`. */
  readonly tasks: Readonly<Record<string, string>>;
  readonly tally: Tally;
}

/** Begins, and goes on until its process ends. */
export type Attack = (attacked: Attacked) => void;

const JSON_TYPE = 'Content-Type: application/json\r\n';
const head = (line: string, headers = '', token = 'ann') =>
  `${line} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ${token}\r\n${headers}\r\n`;
const post = (path: string, body: string, headers = '') =>
  head(`POST /api/v1/tasks${path}`, `${JSON_TYPE}${headers}Content-Length: ${Buffer.byteLength(body)}\r\n`) + body;
const handshake = (token = 'ann', path = '/api/v1/tasks/ws') =>
  head(
    `GET ${path}`,
    `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n`,
    token,
  );

/** A text frame of a client, masked with zeros. */
function frame(text: string | Buffer): Buffer {
  const payload = Buffer.from(text);
  const length =
    payload.length < 126 ? Buffer.from([0x80 | payload.length]) : Buffer.from([0x80 | 126, payload.length >> 8, payload.length & 255]);
  return Buffer.concat([Buffer.from([0x81]), length, Buffer.alloc(4), payload]);
}

function open({ port, tally }: Attacked, onConnect: (socket: Socket) => void): Socket {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('connect', () => {
    tally.opened += 1;
    onConnect(socket);
  });
  socket.on('data', (chunk: Buffer) => {
    const status = /^HTTP\/1\.1 (\d{3})/.exec(chunk.toString('latin1', 0, 16))?.[1];
    const word = status ?? (chunk[0] === 0x88 ? 'close' : undefined);
    if (word) tally.answers[word] = (tally.answers[word] ?? 0) + 1;
  });
  socket.on('error', () => undefined);
  socket.on('end', () => socket.destroy());
  socket.on('close', () => (tally.ended += 1));
  return socket;
}

/** Sends a request so many times at once, and reads nothing. */
function pipeline(socket: Socket, request: string, times: number): void {
  socket.pause();
  socket.write(request.repeat(times));
}

/** Opens so many connections, some at a time, and does to each what is said. */
function hold(attacked: Attacked, onConnect: (socket: Socket, nth: number) => void): void {
  let nth = 0;
  const more = () => {
    for (let some = 0; some < 200 && nth < attacked.amount; some += 1) {
      const own = nth++;
      open(attacked, (socket) => onConnect(socket, own));
    }
    if (nth < attacked.amount) setTimeout(more, 50);
  };
  more();
}

/** Sends a byte at a time. */
function drip(socket: Socket, bytes: string | Buffer, everyMs = 100): void {
  const whole = Buffer.from(bytes);
  let at = 0;
  const timer = setInterval(() => {
    if (socket.destroyed || at >= whole.length) clearInterval(timer);
    else socket.write(whole.subarray(at, ++at));
  }, everyMs);
  socket.write(whole.subarray(at, ++at));
}

/** Sends the same for as long as the other side reads it. */
function gush(socket: Socket, bytes: Buffer): void {
  const more = (): void => {
    while (!socket.destroyed && socket.write(bytes));
    socket.once('drain', more);
  };
  more();
}

/** So many loops, each opening the next connection when the last one has ended. */
function flood(attacked: Attacked, onConnect: (socket: Socket) => void): void {
  const again = () => {
    const socket = open(attacked, onConnect);
    socket.on('close', () => setTimeout(again, 1));
  };
  for (let loop = 0; loop < attacked.amount; loop += 1) again();
}

/** A byte of a message that goes on: the first one, or any further. */
const piece = (isFirst: boolean): Buffer => Buffer.from([isFirst ? 0x01 : 0x00, 0x81, 0, 0, 0, 0, 0x20]);

const say = (bytes: () => string | Buffer) => (socket: Socket) => void socket.end(bytes());
/** A little below what a JSON body may have. */
const VALUES_TAKEN = 19_000;
const pick = <T>(from: readonly T[]): T => from[Math.floor(Math.random() * from.length)] as T;
const POLLUTED = [
  '{"clientRequestId":"a","taskType":"echo","__proto__":{"input":{}}}',
  '{"clientRequestId":"a","taskType":"echo","constructor":{"prototype":{"polluted":1}}}',
  '{"clientRequestId":"a","taskType":"echo","input":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}',
  '{"clientRequestId":"a","taskType":"__proto__"}',
];

/** All attacks, by name. */
export const attacks = {
  /** Connections that say nothing. */
  'mute connections': (attacked) => hold(attacked, () => undefined),
  'headers a byte at a time': (attacked) =>
    hold(attacked, (socket) => drip(socket, head('GET /api/v1/tasks/x', `X: ${'y'.repeat(10_000)}\r\n`))),
  'bodies a byte at a time': (attacked) =>
    hold(attacked, (socket) => {
      socket.write(head('POST /api/v1/tasks', `${JSON_TYPE}Content-Length: 10000\r\n`));
      drip(socket, '{'.padEnd(10_000));
    }),
  'uploads a byte at a time': (attacked) =>
    hold(attacked, (socket) => {
      socket.write(head('POST /api/v1/tasks', 'Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 10000\r\n'));
      drip(socket, '--x\r\nContent-Disposition: form-data; name="attachment"; filename="a"\r\n\r\n'.padEnd(10_000, 'a'));
    }),
  'handshakes a byte at a time': (attacked) =>
    hold(attacked, (socket) => drip(socket, handshake().replace('\r\n\r\n', `\r\nX: ${'y'.repeat(5000)}\r\n\r\n`))),
  'sockets that never subscribe': (attacked) => hold(attacked, (socket, nth) => socket.write(handshake(`owner-${nth % 100}`))),
  'subscribe frames a byte at a time': (attacked) =>
    hold(attacked, (socket, nth) => {
      socket.write(handshake(`owner-${nth % 100}`));
      socket.once('data', () => drip(socket, frame(' '.repeat(5000))));
    }),
  'half-open requests': (attacked) =>
    hold(attacked, (socket) => void socket.end('POST /api/v1/tasks HTTP/1.1\r\nHost: h\r\nContent-Length: 10')),
  'upgrades of foreign paths': (attacked) => hold(attacked, (socket) => socket.write(handshake('ann', '/elsewhere'))),
  'idle subscribed sockets': (attacked) =>
    hold(attacked, (socket, nth) => {
      const owner = `owner-${nth % 100}`;
      socket.write(handshake(owner));
      socket.once('data', () => socket.write(frame(JSON.stringify({ action: 'subscribe', taskId: attacked.tasks[owner] }))));
    }),
  'streams that nobody reads': (attacked) =>
    hold(attacked, (socket) => {
      socket.write(head(`GET /api/v1/tasks/${attacked.tasks['chatty']}/events/stream`, '', 'chatty'));
      socket.pause();
    }),
  'bad frames': (attacked) =>
    flood(attacked, (socket) => {
      const bad = [
        frame('nonsense'),
        frame('[]'),
        frame('{"action":"subscribe","__proto__":1}'),
        randomBytes(200),
        frame(randomBytes(60_000)),
      ];
      socket.write(handshake());
      socket.once('data', () => {
        socket.write(pick(bad));
        // On to the next one, without waiting for what the server has to say.
        setTimeout(() => socket.destroy(), 20);
      });
    }),
  'upgrades with bad credentials': (attacked) =>
    flood(
      attacked,
      say(() => handshake('nobody')),
    ),
  'polluted bodies and queries': (attacked) =>
    flood(
      attacked,
      say(() =>
        pick([post('', pick(POLLUTED)), head('GET /api/v1/tasks/__proto__/events?__proto__=1&constructor=2&afterEventId=__proto__')]),
      ),
    ),
  'huge and deep JSON': (attacked) => {
    const deep = `{"clientRequestId":"a","taskType":"echo","input":{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}}`;
    const wide = `{"clientRequestId":"a","taskType":"echo",${Array.from({ length: 60_000 }, (_, nth) => `"k${nth}":0`).join(',')}}`;
    const deepAndWide = `{"clientRequestId":"a","taskType":"echo","input":${'{"a":'.repeat(62)}[${'1,'.repeat(200_000)}"\\ud800"]${'}'.repeat(62)}}`;
    const bodies = [deep, wide, deepAndWide, `"${'\\ud800'.repeat(150_000)}"`, ' '.repeat(5_000_000)];
    flood(
      attacked,
      say(() => post('', pick(bodies))),
    );
  },
  'header bombs and cookies': (attacked) =>
    flood(
      attacked,
      say(() =>
        head(
          'GET /api/v1/tasks/x',
          pick([`Cookie: ${'a=b; '.repeat(5000)}\r\n`, 'X: 1\r\n'.repeat(5000), `Y: ${'z'.repeat(200_000)}\r\n`]),
        ),
      ),
    ),
  /** 30 KB a connection, each request for a result of a megabyte. */
  'pipelined results that nobody reads': (attacked) =>
    hold(attacked, (socket) => pipeline(socket, head(`GET /api/v1/tasks/${attacked.tasks['rich']}`, '', 'rich'), 300)),
  'pipelined polls that nobody reads': (attacked) =>
    hold(attacked, (socket) =>
      pipeline(socket, head(`GET /api/v1/tasks/${attacked.tasks['wordy']}/events?maxEvents=500`, '', 'wordy'), 400),
    ),
  'polls that nobody reads': (attacked) =>
    hold(attacked, (socket) => pipeline(socket, head(`GET /api/v1/tasks/${attacked.tasks['wordy']}/events?maxEvents=500`, '', 'wordy'), 1)),
  /** Tasks that wait for an answer, with a megabyte each: of the smallest objects, or of as many as are taken. */
  'tasks of many values': (attacked) =>
    hold(attacked, (socket, nth) => {
      const amount = nth % 2 === 0 ? 340_000 : VALUES_TAKEN;
      const input = { a: Array.from({ length: amount }, () => ({})), b: 'x'.repeat(1_020_000 - 3 * amount) };
      socket.write(post('', JSON.stringify({ clientRequestId: `many-${nth}`, taskType: 'hoard', input })));
    }),
  /** As many tasks that ask somebody as an owner may have, and more. */
  'creates that ask a question': (attacked) => {
    let nth = 0;
    flood(
      attacked,
      say(() => post('', JSON.stringify({ clientRequestId: `ask-${(nth += 1)}`, taskType: 'ask' }), 'Connection: close\r\n')),
    );
  },
  /** On sockets that many tasks share, each asked for and let go, over and over. */
  'subscribes without end': (attacked) =>
    hold(attacked, (socket, nth) => {
      const owner = `owner-${nth % 100}`;
      const both = ['subscribe', 'unsubscribe'].map((action) => frame(JSON.stringify({ action, taskId: attacked.tasks[owner] })));
      socket.write(handshake(owner, '/api/v1/tasks/ws?extensions=multiplex'));
      socket.once('data', () => gush(socket, Buffer.concat(Array.from({ length: 100 }, () => both).flat())));
    }),
  'messages in pieces of a byte': (attacked) =>
    hold(attacked, (socket, nth) => {
      socket.write(handshake(`owner-${nth % 100}`));
      socket.once('data', () => {
        socket.write(piece(true));
        gush(socket, Buffer.concat(Array.from({ length: 1000 }, () => piece(false))));
      });
    }),
  /** Whoever asks is gone before anybody could answer. */
  'polls that are left': (attacked) =>
    flood(attacked, (socket) => {
      socket.write(head(`GET /api/v1/tasks/${attacked.tasks['owner-0']}/events?afterEventId=9999-1&waitTimeoutMs=25000`, '', 'owner-0'));
      setTimeout(() => socket.destroy(), 5);
    }),
  'requests without credentials': (attacked) =>
    flood(
      attacked,
      say(() => post('', 'x'.repeat(100_000)).replace('Bearer ann', 'Bearer nobody')),
    ),
} as const satisfies Readonly<Record<string, Attack>>;

/** The name of an attack. */
export type AttackName = keyof typeof attacks;
/** Their names. */
// The keys of a literal are those of its type.
export const attackNames = Object.keys(attacks) as AttackName[];

/** Held connections that the server itself has to end; of the others the owners may stay. */
export const slowAttacks: readonly AttackName[] = [
  'mute connections',
  'headers a byte at a time',
  'bodies a byte at a time',
  'uploads a byte at a time',
  'handshakes a byte at a time',
  'sockets that never subscribe',
  'subscribe frames a byte at a time',
  'half-open requests',
  'upgrades of foreign paths',
];
