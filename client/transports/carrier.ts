import type { SocketListener, SocketPort, SocketRequest } from './socket.ts';

/** One task on its way: what it asked for, and who hears of it. */
export interface Rider {
  readonly request: SocketRequest;
  readonly listener: SocketListener;
  /** `asked` from when it was told that its socket is open, `confirmed` from the server's word. */
  stage: 'waiting' | 'asked' | 'confirmed';
  /** Undefined when it is over. */
  carrier: Carrier | undefined;
}

/**
 * - `opening`: the upgrade is under way, everybody waits
 * - `asking`: the first one subscribes; what comes first says whether others may
 * - `shared`: the server lets any number on
 * - `full`: the same, but not now
 * - `alone`: it does not; there is one rider
 * - `over`: nothing comes any more
 */
export type CarrierState = 'opening' | 'asking' | 'shared' | 'full' | 'alone' | 'over';

/** One socket, and the tasks on it. */
export interface Carrier {
  readonly state: CarrierState;
  /** Whether there is, or may be, room for this task. */
  takes(rider: Rider): boolean;
  add(rider: Rider): void;
  send(text: string): void;
  /** The rider leaves by itself and hears nothing more. */
  drop(rider: Rider): void;
}

/** Opens a socket. Who cannot stay on it is handed to `board` again. */
// eslint-disable-next-line max-lines-per-function -- Its phases are to be drawn as a chart.
export function createCarrier(sockets: SocketPort, request: SocketRequest, board: (rider: Rider) => void, onOver: () => void): Carrier {
  const riders = new Map<string, Rider>();
  /** Subscriptions that were left and that the server has not ended yet: what comes for their task until then is theirs. */
  const former = new Map<string, number>();
  let state: CarrierState = 'opening';

  const carrier: Carrier = {
    get state() {
      return state;
    },
    takes: ({ request: { taskId } }) => (state === 'opening' || state === 'asking' || state === 'shared') && !riders.has(taskId),
    add(rider) {
      rider.stage = 'waiting';
      rider.carrier = carrier;
      riders.set(rider.request.taskId, rider);
      // Whoever opens a socket hears of it later.
      if (state === 'shared') queueMicrotask(() => invite(rider));
    },
    send: (text) => socket.send(text),
    drop(rider) {
      const { taskId } = rider.request;
      remove(rider);
      if (state === 'over' || rider.stage === 'waiting') return;
      former.set(taskId, (former.get(taskId) ?? 0) + 1);
      if (state !== 'asking') unsubscribe(taskId);
    },
  };

  const socket = sockets.open(request, {
    opened() {
      state = 'asking';
      const [first] = riders.values();
      if (first) invite(first);
    },
    frame(text) {
      const head = readHead(text);
      if (state === 'asking') learn(head.extensions);
      if (state === 'alone') for (const { listener } of riders.values()) listener.frame(text);
      else if (state !== 'over' && head.type !== 'EXTENSIONS_GRANTED') route(head, text);
    },
    closed: (closeCode) => end((listener) => listener.closed(closeCode)),
    cut: () => end((listener) => listener.cut()),
    refused: (...answer) => end((listener) => listener.refused(...answer)),
  });
  return carrier;

  function invite(rider: Rider): void {
    if (rider.carrier !== carrier || rider.stage !== 'waiting') return;
    rider.stage = 'asked';
    rider.listener.opened();
  }

  function unsubscribe(taskId: string): void {
    socket.send(JSON.stringify({ action: 'unsubscribe', taskId }));
  }

  /** The first frame tells what the server granted. */
  function learn(extensions: unknown): void {
    const isGranted = Array.isArray(extensions) && extensions.includes('multiplex');
    state = isGranted ? 'shared' : 'alone';
    if (isGranted) for (const taskId of former.keys()) unsubscribe(taskId);
    for (const rider of [...riders.values()])
      if (isGranted) invite(rider);
      else if (rider.stage === 'waiting') {
        riders.delete(rider.request.taskId);
        board(rider);
      }
    if (riders.size === 0) finish();
  }

  function route({ type, taskId, code }: Head, text: string | undefined): void {
    const left = former.get(taskId);
    const rider = riders.get(taskId);
    const isEnd = type === 'SUBSCRIPTION_ENDED';
    if (left !== undefined) {
      if (isEnd && left > 1) former.set(taskId, left - 1);
      else if (isEnd) former.delete(taskId);
    } else if (rider && isEnd) {
      // One that was not confirmed cannot have come to its end: a stray.
      if (code !== ENDED || rider.stage === 'confirmed') dismiss(rider, code);
    } else if (rider) {
      if (type === 'SUBSCRIPTION_CONFIRMED') rider.stage = 'confirmed';
      rider.listener.frame(text);
    }
    // For nobody, so a fault of the socket: everybody is to judge it.
    else for (const { listener } of [...riders.values()]) listener.frame(text);
  }

  /** The server ended one subscription. */
  function dismiss(rider: Rider, code: unknown): void {
    remove(rider);
    if (code === FULL && [...riders.values()].some(({ stage }) => stage === 'confirmed')) {
      state = 'full';
      board(rider);
    } else if (typeof code === 'number' && code !== CUT) rider.listener.closed(code);
    else rider.listener.cut();
  }

  function remove(rider: Rider): void {
    riders.delete(rider.request.taskId);
    rider.carrier = undefined;
    if (state === 'full') state = 'shared';
    if (riders.size === 0) finish();
  }

  function finish(): void {
    if (state === 'over') return;
    state = 'over';
    onOver();
    socket.close();
  }

  /** The socket is gone. Who had not asked yet tries another one, unless there was never one. */
  function end(tell: (listener: SocketListener) => void): void {
    const wasOpening = state === 'opening';
    const all = [...riders.values()];
    state = 'over';
    riders.clear();
    onOver();
    for (const rider of all) {
      if (rider.carrier !== carrier) continue;
      rider.carrier = undefined;
      if (wasOpening || rider.stage !== 'waiting') tell(rider.listener);
      else board(rider);
    }
  }
}

const ENDED = 1000;
const CUT = 1006;
const FULL = 1013;

interface Head {
  readonly type?: unknown;
  readonly taskId: string;
  readonly code?: unknown;
  readonly extensions?: unknown;
}

/** As much as says whom a frame is for. Of a fact only its beginning is looked at: it is read whole by that one. */
function readHead(text: string | undefined): Head {
  const [, taskId] = /^\{"type":"TASK_\w+","taskId":"([^"\\]+)"/.exec(text ?? '') ?? [];
  if (taskId !== undefined) return { taskId };
  try {
    // Whatever it is, these four may be looked for in it; a task id that is no text is nobody's.
    return Object(JSON.parse(text as string)) as Head;
  } catch {
    return { taskId: '' };
  }
}
