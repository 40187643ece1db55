import type { IncomingMessage } from 'node:http';

/** Who somebody is, and until when that is known (milliseconds since the epoch). */
export interface Caller {
  readonly subject: string;
  readonly expiresAt?: number;
}

/** Says who sends a request; undefined for nobody. */
export type Authenticate = (request: IncomingMessage) => Promise<Caller | undefined>;

/** For a demo only: whoever says a name is believed. */
export const trustName: Authenticate = async ({ headers }) => {
  const subject = /^Bearer ([\w-]{1,32})$/.exec(headers.authorization ?? '')?.[1];
  return subject === undefined ? undefined : { subject };
};

/** Asks a service whose tokens these are: it answers 200 with a {@link Caller}, or 401. */
export function askTokenService(url: string): Authenticate {
  return async ({ headers: { authorization } }) => {
    if (authorization === undefined) return undefined;
    const response = await fetch(url, { headers: { authorization } });
    if (response.status === 401) return undefined;
    if (!response.ok) throw new Error(`The login service at ${url} answered ${response.status}.`);
    // A service of our own, started beside this host.
    return (await response.json()) as Caller;
  };
}
