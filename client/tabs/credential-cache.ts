import type { SocketRequest } from '../transports/socket.ts';

/** What a socket shows of who asks. */
export type SocketCredentials = Pick<SocketRequest, 'protocols' | 'headers'>;

/** Whose credentials the one connection shows. All tabs are of one user, so any that hold are good for all. */
export interface CredentialCache {
  /** Undefined before there were any, and after the server refused the last. */
  readonly current: SocketCredentials | undefined;
  /** What the next socket shows, after this tab has asked for one. */
  admit(tab: string, asked: SocketCredentials): SocketCredentials;
  /** The server did not take it. */
  spoil(credentials: SocketCredentials): void;
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
    admit(tab, { protocols, headers }) {
      const credentials = { protocols, headers };
      const text = textOf(credentials);
      const known = lastOf.get(tab);
      lastOf.set(tab, text);
      const isRefreshed = known !== undefined && known !== text;
      if (current && (!isRefreshed || current.text === text)) return current.credentials;
      const isRenewed = current !== undefined;
      current = { credentials, text };
      if (isRenewed) onRenewed();
      return credentials;
    },
    spoil(credentials) {
      if (current?.text === textOf(credentials)) current = undefined;
    },
    isOld: (credentials) => current?.text !== textOf(credentials),
    forget: (tab) => void lastOf.delete(tab),
  };
}

const textOf = ({ protocols, headers }: SocketCredentials): string => JSON.stringify([protocols, headers]);
