import type { AuthContext } from '../ports/auth.ts';

/** Whose live connections are to end: those of a subject, on every node; or those of this process for whose callers a predicate is true. */
export type Disconnected = { readonly subject: string } | ((auth: AuthContext) => boolean);

/** Something that goes on for longer than a request, as long as its caller's credentials are good. */
export interface LiveConnection {
  readonly auth: AuthContext;
  /** Breaks it, so that its client comes back. */
  end(): void;
}

/** Everything of this process that goes on for longer than a request, each with the caller whose credentials it lives by. */
export class Connections {
  readonly #open = new Set<LiveConnection>();

  /** A connection is there, until it leaves. */
  enter(connection: LiveConnection): void {
    this.#open.add(connection);
  }

  /** It is gone. Does nothing for one that was ended. */
  leave(connection: LiveConnection): void {
    this.#open.delete(connection);
  }

  /** Ends those of callers for whom it is true, and says how many. What `matches` throws is thrown before any has ended. */
  end(matches: (auth: AuthContext) => boolean): number {
    const chosen = [...this.#open].filter(({ auth }) => matches(auth));
    for (const connection of chosen) {
      this.#open.delete(connection);
      connection.end();
    }
    return chosen.length;
  }
}

/** What is to be asked of each caller. Throws a `TypeError` for what names nobody: to end no connection without a word would be the worst answer. */
export function matcherOf(who: Disconnected): (auth: AuthContext) => boolean {
  if (typeof who === 'function') return who;
  const { subject } = (who ?? {}) as { readonly subject?: unknown };
  if (typeof subject !== 'string' || subject === '')
    throw new TypeError(`disconnect() takes { subject: a text } or a predicate, and was given ${String(JSON.stringify(who))}.`);
  return (auth) => auth.subject === subject;
}
