import type { AuthProvider } from 'taskbridge/client';
import type { TokenResponse } from '../../messages.ts';
import { createStore, type Store } from '../store.ts';

/** Who this page speaks for. */
export interface Session {
  readonly name: string;
  /** For the client: the token that is still good, or a new one. */
  readonly auth: AuthProvider;
  /** The token in use; empty before the first. */
  readonly token: Store<string>;
  /** `fetch` with the token, and once more with a new one where it was refused. */
  fetch(url: string): Promise<Response>;
  /** Keeps another name, and loads the page anew under it: everything that hangs on a name is made once. */
  signIn(name: string): void;
}

const NAME_KEY = 'taskbridge.name';

/** Signs in under a name that this browser keeps. All tabs have one token, and one of them gets the next when it is refused. */
export function createSession(storage: Storage): Session {
  const name = storage.getItem(NAME_KEY) ?? `guest-${crypto.randomUUID().slice(0, 8)}`;
  storage.setItem(NAME_KEY, name);
  // A tab that was opened under another name keeps its own.
  const tokenKey = `taskbridge.token.${name}`;
  const token = createStore('');

  async function login(): Promise<TokenResponse> {
    const response = await fetch('/demo/login', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name }),
    });
    if (!response.ok) throw new Error(`The login was answered ${response.status}.`);
    // Our own server's, built with this page.
    const issued = (await response.json()) as TokenResponse;
    storage.setItem(tokenKey, JSON.stringify(issued));
    return issued;
  }

  async function current(isRefused: boolean): Promise<TokenResponse> {
    const used = token.get();
    const issued = await navigator.locks.request(tokenKey, async () => {
      const known = read(storage, tokenKey);
      const isGood = known && known.expiresAt > Date.now() && !(isRefused && known.token === used);
      return isGood ? known : login();
    });
    token.set(issued.token);
    return issued;
  }

  return {
    name,
    token,
    signIn(next) {
      storage.setItem(NAME_KEY, next);
      location.assign('/');
    },
    auth: ({ forceRefresh }) => current(forceRefresh),
    async fetch(url) {
      for (let retried = false; ; retried = true) {
        const issued = await current(retried);
        const response = await fetch(url, { headers: { authorization: `Bearer ${issued.token}` } });
        if (response.status !== 401 || retried) return response;
      }
    },
  };
}

function read(storage: Storage, key: string): TokenResponse | undefined {
  const text = storage.getItem(key);
  // Written above.
  return text === null ? undefined : (JSON.parse(text) as TokenResponse);
}
