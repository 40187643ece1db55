import { transportNames, type TransportName } from '../../machines/wire/index.ts';
import { abortWith } from '../abort.ts';
import type { Transports } from '../options.ts';
import type { SocketListener, SocketPort } from '../transports/socket.ts';
import { addressOf } from './address.ts';

/** Makes transports fail while a client runs: for a debug menu, and for tests of what an app shows then. */
export interface TransportSwitch {
  /** What fails now. */
  readonly failing: ReadonlySet<TransportName>;
  /** Give it to the client, as it is. Any number of clients may share it. */
  readonly intercept: (transports: Transports) => Transports;
  /** From now on these fail, and no others; what is open of them is cut at once. Without any, all work again. */
  fail(...names: readonly TransportName[]): void;
  /** All but this one fail; undefined: all work again. A client climbs back to a higher one when it next tries that. */
  force(name: TransportName | undefined): void;
}

/** A switch that fails nothing yet. `message` is what the errors say. Commands and snapshots are left alone. */
export function transportSwitch(message = 'It was made to fail.'): TransportSwitch {
  const failing = new Set<TransportName>();
  const cuts = new Map<() => void, TransportName>();

  function fail(...names: readonly TransportName[]): void {
    failing.clear();
    for (const name of names) failing.add(name);
    for (const [cut, name] of [...cuts]) if (failing.has(name)) cut();
  }

  function openOr(sockets: SocketPort): SocketPort['open'] {
    return (request, listener) => {
      let isOver = false;
      const end = (tell?: () => void): void => {
        if (isOver) return;
        isOver = true;
        cuts.delete(cut);
        tell?.();
      };
      const cut = (): void => end(() => (socket?.close(), listener.cut()));
      cuts.set(cut, 'ws');
      const own: SocketListener = {
        opened: () => isOver || listener.opened(),
        frame: (text) => isOver || listener.frame(text),
        closed: (code) => end(() => listener.closed(code)),
        cut: () => end(() => listener.cut()),
        refused: (...how) => end(() => listener.refused(...how)),
      };
      const socket = failing.has('ws') ? undefined : sockets.open(request, own);
      // A socket tells nothing before it was handed over.
      if (!socket) queueMicrotask(cut);
      return {
        send: (text) => socket?.send(text),
        close: () => end(() => socket?.close()),
      };
    };
  }

  function fetchOr(fetcher: typeof fetch): typeof fetch {
    return async (input, init) => {
      const name = transportOf(addressOf(input), init);
      if (!name) return fetcher(input, init);
      if (failing.has(name)) throw new TypeError(message);
      const controller = new AbortController();
      const { signal } = init ?? {};
      const leave = (): void => {
        cuts.delete(cut);
        signal?.removeEventListener('abort', cut);
      };
      const cut = (): void => (leave(), abortWith(controller, new TypeError(message)));
      cuts.set(cut, name);
      signal?.addEventListener('abort', cut);
      try {
        const response = await fetcher(input, { ...init, signal: controller.signal });
        // A stream goes on behind its head, until its reader gives it up.
        if (name === 'poll' || !response.body) leave();
        return response;
      } catch (error) {
        leave();
        throw error;
      }
    };
  }

  return {
    failing,
    fail,
    force: (name) => fail(...(name === undefined ? [] : transportNames.filter((one) => one !== name))),
    intercept: ({ fetch: fetcher, sockets, forms }) => ({
      fetch: fetchOr(fetcher),
      sockets: sockets && { ...sockets, open: openOr(sockets) },
      forms,
    }),
  };
}

/**
 * What makes transports fail for ever, to be given to a client as `intercept`: `failingTransports('ws', 'sse')` leaves long polls. Those of the
 * original are `failingWebSocketFactory` and `failingSseSessionFactory`.
 */
export function failingTransports(...names: readonly TransportName[]): TransportSwitch['intercept'] {
  const { fail, intercept } = transportSwitch();
  fail(...names);
  return intercept;
}

/** Which transport a request is of, whatever its route; undefined for a command or a snapshot. */
export function transportOf(url: string, init: RequestInit | undefined): Exclude<TransportName, 'ws'> | undefined {
  const { accept } = (init?.headers ?? {}) as { readonly accept?: string };
  if (accept === 'text/event-stream') return 'sse';
  return /[?&]waitTimeoutMs=/.test(url) ? 'poll' : undefined;
}
