import { randomUUID } from 'node:crypto';
import type { Caller } from '../report/authenticate.ts';

/** Tokens of this demo, good until they are old or all are expired at once. */
export interface Tokens {
  issue(subject: string): { readonly token: string; readonly expiresAt: number };
  /** Whose token an `authorization` header carries; undefined for one that is not good, or not any more. */
  personOf(authorization: string | undefined): Required<Caller> | undefined;
  /** Ends all that were issued so far; gives their number. */
  expireAll(): number;
}

/** Keeps tokens in memory: they end with the program. */
export function createTokens(lifetimeMs: number): Tokens {
  const people = new Map<string, Required<Caller>>();
  return {
    issue(subject) {
      const token = randomUUID();
      const expiresAt = Date.now() + lifetimeMs;
      for (const [old, person] of people) if (person.expiresAt <= Date.now()) people.delete(old);
      people.set(token, { subject, expiresAt });
      return { token, expiresAt };
    },
    personOf(authorization) {
      const person = people.get(/^Bearer (\S+)$/.exec(authorization ?? '')?.[1] ?? '');
      return person && person.expiresAt > Date.now() ? person : undefined;
    },
    expireAll() {
      const { size } = people;
      people.clear();
      return size;
    },
  };
}
