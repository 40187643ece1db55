import type { Closable } from '../suite/run.ts';
import type { WireFact } from '../server/calls.ts';

/** The transports that a client may have. */
export type ClientTransport = 'ws' | 'sse' | 'poll';

/** What a driven client is made with. */
export interface DrivenClientOptions {
  /** `http://host:port`; the routes begin with `/api/v1`. */
  readonly baseUrl: string;
  /** The client may use these only, best first. */
  readonly transports: readonly ClientTransport[];
  /** What the client is to do with where the driver `adjusts` it; see there. */
  readonly livenessMs?: number;
  readonly openMs?: number;
  readonly frameBytesMax?: number;
  /** Bearer tokens: it sends the first until it has to refresh, then the next, and so on. None: no credentials. */
  readonly tokens?: readonly string[];
}

/** A client under test. How it is made, driven and watched is the driver's business. */
export interface ClientDriver extends Closable {
  /** The transports that the client has at all. */
  readonly transports: readonly ClientTransport[];
  /** How long it rests before the first retry, in milliseconds. Make it short, 10 or so: most cases wait for retries. */
  readonly restMs: number;
  /**
   * What can be set when a client is opened; cases that want something else do not apply. `livenessMs`: that much silence is the death of a
   * stream; `openMs`: nothing within that time means that a transport is mute; both in milliseconds. `frameBytesMax`: the largest frame or
   * event that it takes.
   */
  readonly adjusts?: readonly ('livenessMs' | 'openMs' | 'frameBytesMax')[];
  open(options: DrivenClientOptions): Promise<DrivenClient>;
}

/** One client. */
export interface DrivenClient {
  observe(taskId: string, options?: { readonly lastEventId?: string }): DrivenObservation;
  /** Sends an answer, retries as the client does, and gives its status; rejects where the client gives up. */
  act(taskId: string, action: { suspendId: string; actionType: string; clientActionId?: string }): Promise<{ readonly status: string }>;
  /** How often it has asked for another token. */
  refreshes(): Promise<number>;
  close(): Promise<void>;
}

/**
 * One task as the client shows it: every fact that it delivers, until it says that the log has ended. Throws where it gives up: by its
 * `message`, `code` or `closeCode` the error names the code of the server's refusal, or its close code.
 */
export interface DrivenObservation extends AsyncIterable<WireFact> {
  /** What the client says about the run of facts: `gap` where some are missing, `reset` where history was replaced. */
  continuity(): Promise<'resumed' | 'gap' | 'reset'>;
  close(): void;
}

/** What an error says that a client gave up with. */
export function lastWords(error: unknown): string {
  const {
    code = '',
    closeCode = '',
    message = String(error),
  } = (error ?? {}) as { code?: unknown; closeCode?: unknown; message?: unknown };
  return [code, closeCode, message].filter((word) => word !== '').join(' ');
}
