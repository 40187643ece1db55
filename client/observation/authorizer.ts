import type { TransportName } from '../../machines/wire/index.ts';
import type { Authorization, Credentials, RefreshOutcome } from '../auth/credentials.ts';
import { thrownBy, verdictOn } from '../commands/answer.ts';
import type { TaskBridgeClientError } from '../errors.ts';
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

/** What gives the connections of one observation their credentials. */
export type Authorizer = ReturnType<typeof createAuthorizer>;

/** Gives the connections of one observation their credentials: before each, and anew in time while it lives. */
export function createAuthorizer(settings: ClientSettings, credentials: Credentials, decoder: FrameDecoder) {
  const { clock, gate } = settings;
  let usedGeneration = 0;

  /** Gets others than those that the last connection had, as soon as the gate is open. */
  async function refresh(signal: AbortSignal, generation = usedGeneration): Promise<RefreshOutcome> {
    await whenOpen(gate, signal);
    return credentials.refresh(generation, signal);
  }

  async function renew({ authorization, signal, tell }: Authorized): Promise<void> {
    try {
      const outcome = await refresh(signal, authorization.generation);
      if (outcome === 'given' && !signal.aborted) tell({ type: 'credentials.renewed' });
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

    function begin(authorization: Authorization): void {
      if (signal.aborted) return;
      const authorized = { connection, authorization, signal, tell };
      const { renewMs, generation } = authorization;
      usedGeneration = generation;
      if (transport !== 'poll' && renewMs !== undefined) renewal = clock.setTimeout(() => void renew(authorized), renewMs);
      try {
        free = open(authorized);
      } catch (error) {
        connection.lost(...thrownBy(settings, error));
      }
    }

    credentials.authorize(signal).then(begin, (error: TaskBridgeClientError) => {
      if (!signal.aborted)
        connection.lost(`no credentials: ${error.message}`, { kind: 'unauthorized', error, ...verdictOn(settings, error) });
    });
    return () => {
      connection.close();
      controller.abort();
      if (renewal !== undefined) clock.clearTimeout(renewal);
      if (typeof free === 'function') free();
    };
  }

  return { connect, refresh };
}
