import type { TransportName } from '../../machines/wire/index.ts';
import type { Authorization, Credentials } from '../auth/credentials.ts';
import { whenOpen } from '../gate.ts';
import type { ClientSettings } from '../options.ts';
import type { ConnectionInput, DecodedEvent, FrameDecoder } from './frame-decoder.ts';

/** A connection that may be opened now. */
export interface Authorized {
  readonly connection: ConnectionInput;
  readonly authorization: Authorization;
  readonly signal: AbortSignal;
  readonly tell: (event: DecodedEvent) => void;
}

/** A longer timer fires at once on most platforms; connections rarely live that long. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** What gives the connections of one observation their credentials. */
export type Authorizer = ReturnType<typeof createAuthorizer>;

/** Gives the connections of one observation their credentials: before each, and anew in time while it lives. */
export function createAuthorizer({ clock, limits, gate }: ClientSettings, credentials: Credentials, decoder: FrameDecoder) {
  let usedGeneration = 0;

  /** Gets others than those that the last connection had. */
  async function refresh(signal: AbortSignal, generation = usedGeneration): Promise<void> {
    await whenOpen(gate, signal);
    await credentials.refresh(generation);
  }

  /** The time to the renewal. A token that is good for less than `renewBeforeMs` is renewed half-way, not at once and for ever. */
  function renewalMs(expiresAt: number): number {
    const left = Math.max(0, expiresAt - clock.now());
    return Math.min(Math.max(left - limits.renewBeforeMs, left / 2), LONGEST_TIMER_MS);
  }

  async function renew({ authorization, signal, tell }: Authorized): Promise<void> {
    try {
      await refresh(signal, authorization.generation);
      if (!signal.aborted) tell({ type: 'credentials.renewed' });
    } catch {
      // The connection lives on; its end, and a 401 after it, ask again and say why.
    }
  }

  /** Opens one connection as soon as it has its credentials; returns what frees it. `open` returns or resolves with what frees its part. */
  function connect(
    transport: TransportName,
    tell: (event: DecodedEvent) => void,
    open: (authorized: Authorized) => (() => void) | Promise<void>,
  ): () => void {
    const controller = new AbortController();
    const { signal } = controller;
    const connection = decoder.open(transport, tell);
    let free: (() => void) | Promise<void> | undefined;
    let renewal: unknown;
    credentials
      .authorize()
      .then((authorization) => {
        if (signal.aborted) return;
        const authorized = { connection, authorization, signal, tell };
        const { expiresAt, generation } = authorization;
        usedGeneration = generation;
        if (transport !== 'poll' && expiresAt !== undefined) renewal = clock.setTimeout(() => void renew(authorized), renewalMs(expiresAt));
        // Throws where the host's own route is none.
        free = open(authorized);
      })
      .catch((error: unknown) => connection.lost('no credentials', { kind: 'unauthorized', error }));
    return () => {
      connection.close();
      controller.abort();
      if (renewal !== undefined) clock.clearTimeout(renewal);
      if (typeof free === 'function') free();
    };
  }

  return { connect, refresh };
}
