import type { AuthProvider } from 'taskbridge/client';
import type { Issued } from '../../words.ts';
import { createStore, type Store } from '../store.ts';

/** Who this page speaks for. */
export interface Session {
  readonly name: string;
  /** For the client: the token that is still good, or a new one. */
  readonly auth: AuthProvider;
  /** How many tokens this page was given so far. */
  readonly tokens: Store<number>;
  /** `fetch` with the token, and once more with a new one where it was refused. */
  fetch(path: string): Promise<Response>;
}

const NAME_KEY = 'taskbridge.name';

/** Signs in under a name that this browser keeps, so that a reload and another tab see the same tasks. */
export function createSession(): Session {
  const name = localStorage.getItem(NAME_KEY) ?? `guest-${crypto.randomUUID().slice(0, 8)}`;
  localStorage.setItem(NAME_KEY, name);
  const tokens = createStore(0);
  let issued: Promise<Issued> | undefined;

  async function login(): Promise<Issued> {
    const response = await fetch('/demo/login', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name }),
    });
    if (!response.ok) throw new Error(`The login was answered ${response.status}.`);
    tokens.set(tokens.get() + 1);
    // Our own server's, built with this page.
    return (await response.json()) as Issued;
  }

  async function current(forceRefresh: boolean): Promise<Issued> {
    if (forceRefresh || !issued) issued = login();
    try {
      return await issued;
    } catch (error) {
      issued = undefined;
      throw error;
    }
  }

  return {
    name,
    tokens,
    auth: ({ forceRefresh }) => current(forceRefresh),
    async fetch(path) {
      for (let retried = false; ; retried = true) {
        const { token } = await current(retried);
        const response = await fetch(path, { headers: { authorization: `Bearer ${token}` } });
        if (response.status !== 401 || retried) return response;
      }
    },
  };
}
