import { TaskBridgeClientError } from '../errors.ts';

/** What a host hands to a call (a tenant, a session); it reaches `auth`, `routes` and `listener` as it is. */
export type CallContext = Readonly<Record<string, unknown>>;

/** What a provider is asked for. */
export interface AuthRequest {
  /** True after a 401, and before the end of a live connection's credentials: what was given last is no longer good. */
  readonly forceRefresh: boolean;
  /** That of the call or observation; undefined where it has none. */
  readonly context: CallContext | undefined;
}
/** Credentials that say how long they are good. */
export interface ExpiringCredentials {
  /** Sent as a bearer token. */
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch. Live connections are renewed `renewBeforeMs` earlier. */
  readonly expiresAt: number;
}
/** A bearer token, headers, either with the time of its end, or nothing. */
export type AuthAnswer = string | Readonly<Record<string, string>> | ExpiringCredentials | null | undefined;
/** Asked before every request; keep what is still good and answer from it. */
export type AuthProvider = (request: AuthRequest) => AuthAnswer | Promise<AuthAnswer>;

/** Headers for one request, and which generation of credentials they are. */
export interface Authorization {
  readonly headers: Readonly<Record<string, string>>;
  readonly generation: number;
  /** Milliseconds since the epoch; undefined where nobody said. */
  readonly expiresAt: number | undefined;
}

/** The credentials of one client in one context. */
export interface Credentials {
  readonly refreshable: boolean;
  /** Waits for a refresh that is under way. Rejects with code `CREDENTIALS_UNAVAILABLE` where the provider throws. */
  authorize(): Promise<Authorization>;
  /** Asks the provider for new ones: once for all who wait, and not at all for who used an older generation. */
  refresh(usedGeneration: number): Promise<void>;
}

/** Gives each context its credentials; calls with the same object share theirs. */
export function createCredentials(provider: AuthProvider | undefined): (context: CallContext | undefined) => Credentials {
  const common = credentialsOf(provider, undefined);
  const known = new WeakMap<CallContext, Credentials>();
  return (context) => {
    if (!context) return common;
    const found = known.get(context) ?? credentialsOf(provider, context);
    known.set(context, found);
    return found;
  };
}

/** Keeps one refresh for any number of waiting calls. Credentials are only ever put on requests below the base URL: one origin. */
function credentialsOf(provider: AuthProvider | undefined, context: CallContext | undefined): Credentials {
  let generation = 0;
  let refreshing: Promise<void> | undefined;

  async function ask(forceRefresh: boolean): Promise<Omit<Authorization, 'generation'>> {
    try {
      return read(await provider?.({ forceRefresh, context }));
    } catch (cause) {
      throw new TaskBridgeClientError('CREDENTIALS_UNAVAILABLE', 'The auth provider failed; its error is the cause.', { cause });
    }
  }

  return {
    refreshable: provider !== undefined,
    async authorize() {
      await refreshing;
      return { ...(await ask(false)), generation };
    },
    async refresh(usedGeneration) {
      if (usedGeneration < generation) return;
      refreshing ??= ask(true)
        .then(() => {
          generation += 1;
        })
        .finally(() => {
          refreshing = undefined;
        });
      await refreshing;
    },
  };
}

function read(answer: AuthAnswer): Omit<Authorization, 'generation'> {
  if (typeof answer === 'string') return { headers: bearer(answer), expiresAt: undefined };
  if (!isExpiring(answer)) return { headers: answer ?? {}, expiresAt: undefined };
  const { token, headers, expiresAt } = answer;
  return { headers: { ...headers, ...(token !== undefined && bearer(token)) }, expiresAt };
}

/** Headers are text; a number can only be the end of something. */
function isExpiring(answer: Exclude<AuthAnswer, string>): answer is ExpiringCredentials {
  return typeof answer?.expiresAt === 'number';
}

const bearer = (token: string): Readonly<Record<string, string>> => ({ authorization: `Bearer ${token}` });

/** The bearer token among headers, for transports that cannot set any. */
export function bearerToken(headers: Readonly<Record<string, string>>): string | undefined {
  const found = Object.entries(headers).find(([name]) => name.toLowerCase() === 'authorization')?.[1];
  return found === undefined ? undefined : /^Bearer (.+)$/i.exec(found)?.[1];
}
