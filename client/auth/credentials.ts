import { TaskBridgeClientError } from '../errors.ts';

/** What a provider is asked for. */
export interface AuthRequest {
  /** True after a 401: what was given last is no longer good. */
  readonly forceRefresh: boolean;
}
/** A bearer token, headers, or nothing. */
export type AuthAnswer = string | Readonly<Record<string, string>> | null | undefined;
/** Asked before every request; keep what is still good and answer from it. */
export type AuthProvider = (request: AuthRequest) => AuthAnswer | Promise<AuthAnswer>;

/** Headers for one request, and which generation of credentials they are. */
export interface Authorization {
  readonly headers: Readonly<Record<string, string>>;
  readonly generation: number;
}

/** The credentials of one client. */
export interface Credentials {
  readonly refreshable: boolean;
  /** Waits for a refresh that is under way. Rejects with code `CREDENTIALS_UNAVAILABLE` where the provider throws. */
  authorize(): Promise<Authorization>;
  /** Asks the provider for new ones: once for all who wait, and not at all for who used an older generation. */
  refresh(usedGeneration: number): Promise<void>;
}

/** Keeps one refresh for any number of waiting calls. Credentials are only ever put on requests below the base URL: one origin. */
export function createCredentials(provider: AuthProvider | undefined): Credentials {
  let generation = 0;
  let refreshing: Promise<void> | undefined;

  async function ask(forceRefresh: boolean): Promise<Readonly<Record<string, string>>> {
    try {
      const answer = await provider?.({ forceRefresh });
      return typeof answer === 'string' ? { authorization: `Bearer ${answer}` } : (answer ?? {});
    } catch (cause) {
      throw new TaskBridgeClientError('CREDENTIALS_UNAVAILABLE', 'The auth provider failed; its error is the cause.', { cause });
    }
  }

  return {
    refreshable: provider !== undefined,
    async authorize() {
      await refreshing;
      return { headers: await ask(false), generation };
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

/** The bearer token among headers, for transports that cannot set any. */
export function bearerToken(headers: Readonly<Record<string, string>>): string | undefined {
  const found = Object.entries(headers).find(([name]) => name.toLowerCase() === 'authorization')?.[1];
  return found === undefined ? undefined : /^Bearer (.+)$/i.exec(found)?.[1];
}
