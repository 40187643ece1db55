import type { SocketRequest } from '../transports/socket.ts';

/** What a socket shows of whose it is. */
export type SocketCredentials = Pick<SocketRequest, 'protocols' | 'headers'>;

/** Whose credentials the one connection shows. All tabs are of one user, so any that hold are good for all. */
export interface CredentialCache {
  /** Undefined before there were any, and after the server refused the last. */
  readonly current: SocketCredentials | undefined;
  /** Takes note of what a tab would show, and says what the next socket is to show. */
  choose(tab: string, own: SocketCredentials): SocketCredentials;
  /** The server refused them. */
  markRefused(credentials: SocketCredentials): void;
  /** True for those that the server refused, or that were renewed. */
  isOld(credentials: SocketCredentials): boolean;
  forget(tab: string): void;
}

/**
 * Those of the first tab, until the server refuses them, or a tab that had others brings new ones: a refresh. `onRenewed` is called then.
 */
export function createCredentialCache(onRenewed: () => void): CredentialCache {
  const lastOf = new Map<string, string>();
  let current: { readonly credentials: SocketCredentials; readonly text: string } | undefined;

  return {
    get current() {
      return current?.credentials;
    },
    choose(tab, { protocols, headers }) {
      const credentials = { protocols, headers };
      const text = credentialsText(credentials);
      const known = lastOf.get(tab);
      lastOf.set(tab, text);
      const isRefreshed = known !== undefined && known !== text;
      if (current && (!isRefreshed || current.text === text)) return current.credentials;
      const isRenewed = current !== undefined;
      current = { credentials, text };
      if (isRenewed) onRenewed();
      return credentials;
    },
    markRefused(credentials) {
      if (current?.text === credentialsText(credentials)) current = undefined;
    },
    isOld: (credentials) => current?.text !== credentialsText(credentials),
    forget: (tab) => void lastOf.delete(tab),
  };
}

/** Equal for equal credentials. */
export function credentialsText({ protocols, headers }: SocketCredentials): string {
  return JSON.stringify([protocols, headers]);
}
