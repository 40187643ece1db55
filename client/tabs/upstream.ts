import { compareEventIds, isPolicyClose, parseEventId } from '../../machines/index.ts';
import type { Socket, SocketListener, SocketPort, SocketRequest } from '../transports/socket.ts';
import { readCursor, readHead, type FrameHead } from './frame-head.ts';
import type { Pass } from './passes.ts';

/** One virtual socket, as the leader sees it. */
export interface Rider {
  readonly request: SocketRequest;
  /** `waiting` for its socket, `opened`, `subscribed`, `confirmed`. */
  stage: 'waiting' | 'opened' | 'subscribed' | 'confirmed';
  /** The newest fact that it was given or had before; null for none. */
  position: string | null;
  opened(): void;
  frame(text: string | undefined): void;
  closed(closeCode: number): void;
  cut(): void;
  refused(status: number, body: string, retryAfter: string | undefined): void;
}

/** The one connection of all tabs to one task. */
export interface Upstream {
  readonly pass: Pass;
  readonly isEmpty: boolean;
  add(rider: Rider): void;
  /** What a rider sends. False where its cursor cannot be compared with the others': it needs an upstream of its own. */
  send(rider: Rider, text: string): boolean;
  remove(rider: Rider): void;
  /** Connects anew, with other credentials, from where the riders are. */
  renew(pass: Pass): void;
  close(): void;
}

/** Told by an upstream of itself. */
export interface UpstreamListener {
  /** Nothing comes any more; `isRefused` where the server would not have it with these credentials. */
  over(isRefused: boolean): void;
}

/**
 * Opens a socket for the first rider. Riders of different cursors share it: it goes back to the oldest of them, and each is given only what it
 * does not have.
 */
export function createUpstream(sockets: SocketPort, first: SocketRequest, firstPass: Pass, listener: UpstreamListener): Upstream {
  const riders = new Set<Rider>();
  let pass = firstPass;
  let isOpen = false;
  /** Where the subscription began, and how far it came; undefined before there is one. */
  let begun: { readonly cursor: string | null; reached: string | null } | undefined;
  let confirmation: FrameHead['whole'];
  /** Told since the subscription began, before its first fact. */
  let gap: string | undefined;
  /** Since the subscription began: of which history its ids are. */
  let history: 'known' | 'replaced' = 'known';
  let socket = connect();

  return {
    get pass() {
      return pass;
    },
    get isEmpty() {
      return riders.size === 0;
    },
    add(rider) {
      riders.add(rider);
      if (isOpen) open(rider);
    },
    send(rider, text) {
      const cursor = readCursor(text);
      if (cursor === undefined) return true;
      if (begun && !isComparable(cursor, begun.reached)) return false;
      // Only the server can tell of which history a cursor is that lies ahead.
      if (begun && history === 'replaced' && cursor !== null && isOlder(begun.reached, cursor)) return false;
      rider.position = cursor;
      rider.stage = 'subscribed';
      // The oldest cursor is looked for when the socket is open.
      if (!isOpen) return true;
      if (!begun) subscribe(cursor);
      else if (isOlder(cursor, begun.reached)) reconnect();
      else welcome(rider);
      return true;
    },
    remove: (rider) => void riders.delete(rider),
    renew(next) {
      pass = next;
      reconnect();
    },
    close: () => socket.close(),
  };

  function connect(): Socket {
    return sockets.open(
      { ...first, ...pass },
      {
        opened() {
          isOpen = true;
          for (const rider of [...riders]) if (rider.stage === 'waiting') open(rider);
          const waiting = [...riders].filter(isSubscribed);
          if (!begun && waiting.length > 0) subscribe(oldest(waiting));
        },
        frame: take,
        closed: (closeCode) => end(isPolicyClose(closeCode), (rider) => rider.closed(closeCode)),
        // A browser shows no status of a refused upgrade: it may have been the credentials.
        cut: () => end(!isOpen, (rider) => rider.cut()),
        refused: (status, body, retryAfter) => end(status === 401, (rider) => rider.refused(status, body, retryAfter)),
      },
    );
  }

  function reconnect(): void {
    // Shared sockets close with the last task on them: another one, which never asks for anything, keeps it open in between.
    const between = sockets.extensions?.includes('multiplex') ? sockets.open({ ...first, ...pass, taskId: '' }, nobody) : undefined;
    socket.close();
    isOpen = false;
    begun = confirmation = gap = undefined;
    history = 'known';
    socket = connect();
    between?.close();
  }

  function open(rider: Rider): void {
    rider.stage = 'opened';
    rider.opened();
  }

  function subscribe(cursor: string | null): void {
    begun = { cursor, reached: cursor };
    const { taskId } = first;
    socket.send(JSON.stringify({ action: 'subscribe', taskId, ...(cursor !== null && { lastEventId: cursor }) }));
  }

  /** Confirms a rider that stands where the subscription is, or further. */
  function welcome(rider: Rider): void {
    if (!confirmation || rider.stage !== 'subscribed') return;
    rider.stage = 'confirmed';
    rider.frame(JSON.stringify({ ...confirmation, replayStartedAfterEventId: rider.position }));
    if (gap !== undefined && rider.position === begun?.cursor) tellGap(rider, gap);
  }

  function take(text: string | undefined): void {
    const all = [...riders].filter(isSubscribed);
    if (text === undefined) return all.forEach((rider) => rider.frame(undefined));
    const head = readHead(text);
    const { type, eventId } = head;
    if (type === 'SUBSCRIPTION_CONFIRMED') {
      confirmation = head.whole;
      all.forEach(welcome);
    } else if (type === 'GAP') {
      gap = text;
      if (isReset(head)) history = 'replaced';
      for (const rider of all)
        if (concerns(head, rider)) tellGap(rider, text);
        else if (isReset(head)) askAlone(rider);
    } else if (eventId === undefined || type === 'HEARTBEAT') all.forEach((rider) => rider.frame(text));
    else {
      gap = undefined;
      if (begun) begun.reached = eventId;
      for (const rider of all) deliver(rider, eventId, text);
    }
  }

  /** A gap is about the cursor that was asked from; of a trimmed log also about others before its first fact. */
  function concerns({ whole }: FrameHead, { position }: Rider): boolean {
    if (position === (begun?.cursor ?? null)) return true;
    const firstKept = typeof whole?.['firstEventId'] === 'string' ? parseEventId(whole['firstEventId']) : undefined;
    const at = position === null ? undefined : parseEventId(position);
    return whole?.['reason'] === 'trimmed' && firstKept !== undefined && at !== undefined && at.n < firstKept.n - 1;
  }

  function tellGap(rider: Rider, text: string): void {
    if (isReset(readHead(text))) rider.position = null;
    rider.frame(text);
  }

  /** It comes back with its cursor, and is told what is true of that. */
  function askAlone(rider: Rider): void {
    riders.delete(rider);
    rider.cut();
  }

  function deliver(rider: Rider, eventId: string, text: string): void {
    const { position } = rider;
    if (position !== null && position !== eventId && parseEventId(position)?.n === parseEventId(eventId)?.n && parseEventId(eventId)) {
      // The same place with another time: its history was replaced. Alone it would have been told so.
      askAlone(rider);
    } else if (position === null || (compareEventIds(eventId, position) ?? 1) > 0) {
      rider.position = eventId;
      rider.frame(text);
    }
  }

  function end(isRefused: boolean, tell: (rider: Rider) => void): void {
    const all = [...riders];
    riders.clear();
    listener.over(isRefused);
    for (const rider of all) tell(rider);
  }
}

const nothing = (): void => undefined;
const nobody: SocketListener = { opened: nothing, frame: nothing, closed: nothing, cut: nothing, refused: nothing };

const isReset = ({ whole }: FrameHead): boolean => whole?.['reason'] === 'reset';
const isSubscribed = ({ stage }: Rider): boolean => stage === 'subscribed' || stage === 'confirmed';

function isComparable(a: string | null, b: string | null): boolean {
  return a === null || b === null || compareEventIds(a, b) !== undefined;
}

/** True where `a` needs facts that `b` is already beyond. */
function isOlder(a: string | null, b: string | null): boolean {
  if (a === b || b === null) return false;
  return a === null || (compareEventIds(a, b) ?? 0) < 0;
}

function oldest(riders: readonly Rider[]): string | null {
  return riders.reduce<string | null>((least, { position }, index) => (index === 0 || isOlder(position, least) ? position : least), null);
}
