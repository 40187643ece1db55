import { createDeadline, unlessAborted } from '../commands/deadline.ts';
import { aborted, unavailable } from '../errors.ts';
import type { ClientSettings } from '../options.ts';
import { readCredentials } from './headers.ts';
import { createRenewal, type CredentialsRenewal } from './renewal.ts';

/** What a host hands to a call (a tenant, a session); it reaches `auth`, `routes` and `listener` as it is. */
export type CallContext = Readonly<Record<string, unknown>>;

/** What a provider is asked for. */
export interface AuthRequest {
  /** True after a 401, and before the end of a live connection's credentials: what was given last is no longer good. */
  readonly forceRefresh: boolean;
  /** Aborted when nobody waits for the answer any more: the caller has given up, was closed, or has waited for `credentialsMs`. */
  readonly signal: AbortSignal;
  /** That of the call or observation; undefined where it has none. */
  readonly context: CallContext | undefined;
}
/** Credentials that say how long they are good. */
export interface ExpiringCredentials {
  /** Sent as a bearer token. */
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * Milliseconds since the epoch. Live connections are renewed `renewBeforeMs` earlier. Held against the device's clock once, when these
   * credentials come first: a date that is set later changes nothing, and an end that is past by then is not believed.
   */
  readonly expiresAt: number;
}
/**
 * A bearer token, headers, either with the time of its end, or nothing. What surrounds a value is trimmed, an empty one sends no header.
 * `undefined`: there is nothing to send, as where cookies speak. `null`: the same, and to `forceRefresh` after a 401 that there will not be
 * anything, since nobody is signed in: the refusal is final then.
 */
export type AuthAnswer = string | Readonly<Record<string, string>> | ExpiringCredentials | null | undefined;
/**
 * Asked before every request; keep what is still good and answer from it. One that throws, that gives nothing within `credentialsMs`, or what
 * no header can carry, is a failure like one of the network: tried again after a rest, unless `classify` says that it is final.
 */
export type AuthProvider = (request: AuthRequest) => AuthAnswer | Promise<AuthAnswer>;

/** Headers for one request, and which generation of credentials they are. */
export interface Authorization {
  readonly headers: Readonly<Record<string, string>>;
  readonly generation: number;
  /** How long a connection that begins now waits before it renews them, in milliseconds; undefined where nobody knows their end. */
  readonly renewMs: number | undefined;
}

/** What came of a refresh: others, or that there are none. */
export type RefreshOutcome = 'given' | 'none';

/**
 * The credentials of one client in one context. Both reject with code `CREDENTIALS_UNAVAILABLE` where the provider fails, and with the error
 * of the signal as soon as that aborts.
 */
export interface Credentials {
  readonly refreshable: boolean;
  /** Waits for a refresh that is under way, whatever comes of it. */
  authorize(signal: AbortSignal): Promise<Authorization>;
  /** Asks the provider for new ones: once for all who wait, and not at all for who used an older generation. */
  refresh(usedGeneration: number, signal: AbortSignal): Promise<RefreshOutcome>;
}

/** Gives each context its credentials; calls with the same object share theirs. */
export function createCredentials(settings: CredentialsSettings): (context: CallContext | undefined) => Credentials {
  const common = new ContextCredentials(settings, undefined);
  const known = new WeakMap<CallContext, Credentials>();
  return (context) => {
    if (!context) return common;
    const found = known.get(context) ?? new ContextCredentials(settings, context);
    known.set(context, found);
    return found;
  };
}

type CredentialsSettings = Pick<ClientSettings, 'auth' | 'clock' | 'limits'>;

/** One question for new credentials, and how many wait for its answer. */
interface Refresh {
  readonly question: AbortController;
  readonly outcome: Promise<RefreshOutcome>;
  waiting: number;
}

/** Keeps one refresh for any number of waiting calls. Credentials are only ever put on requests below the base URL: one origin. */
class ContextCredentials implements Credentials {
  readonly refreshable: boolean;
  readonly #settings: CredentialsSettings;
  readonly #context: CallContext | undefined;
  readonly #renewal: CredentialsRenewal;
  #generation = 0;
  #refresh: Refresh | undefined;

  constructor(settings: CredentialsSettings, context: CallContext | undefined) {
    this.refreshable = settings.auth !== undefined;
    this.#settings = settings;
    this.#context = context;
    this.#renewal = createRenewal(settings.clock, settings.limits.renewBeforeMs);
  }

  async authorize(signal: AbortSignal): Promise<Authorization> {
    if (this.#refresh) await this.#join(this.#refresh, signal).catch(() => undefined);
    const { headers, expiresAt } = readCredentials(await this.#ask(false, signal));
    this.#renewal.note(JSON.stringify(headers), expiresAt);
    return { headers, generation: this.#generation, renewMs: this.#renewal.waitMs() };
  }

  async refresh(usedGeneration: number, signal: AbortSignal): Promise<RefreshOutcome> {
    if (usedGeneration < this.#generation) return 'given';
    return this.#join((this.#refresh ??= this.#begin()), signal);
  }

  #begin(): Refresh {
    const question = new AbortController();
    const answered = this.#ask(true, question.signal).then((answer): RefreshOutcome => {
      readCredentials(answer);
      if (answer === null) return 'none';
      this.#generation += 1;
      return 'given';
    });
    const refresh: Refresh = { question, waiting: 0, outcome: answered.finally(() => this.#forget(refresh)) };
    return refresh;
  }

  /** Waits with the others. What nobody waits for any more is given up, and those who come later ask anew. */
  #join(refresh: Refresh, signal: AbortSignal): Promise<RefreshOutcome> {
    refresh.waiting += 1;
    return unlessAborted(refresh.outcome, signal, () => {
      refresh.waiting -= 1;
      if (refresh.waiting > 0) return;
      this.#forget(refresh);
      refresh.question.abort();
    });
  }

  #forget(refresh: Refresh): void {
    if (this.#refresh === refresh) this.#refresh = undefined;
  }

  async #ask(forceRefresh: boolean, signal: AbortSignal): Promise<AuthAnswer> {
    const { auth, clock, limits } = this.#settings;
    if (signal.aborted) throw aborted(signal);
    if (!auth) return undefined;
    // A connection needs the rest of its time to open.
    const ms = Math.min(limits.credentialsMs, Math.ceil(limits.openMs / 2));
    const deadline = createDeadline(clock, ms, [signal]);
    const request: AuthRequest = { forceRefresh, signal: deadline.signal, context: this.#context };
    try {
      return await unlessAborted(new Promise<AuthAnswer>((resolve) => resolve(auth(request))), deadline.signal);
    } catch (cause) {
      if (signal.aborted) throw aborted(signal);
      throw unavailable(deadline.signal.aborted ? `gave nothing within ${ms} ms` : 'failed; its error is the cause', cause);
    } finally {
      deadline.release();
    }
  }
}
