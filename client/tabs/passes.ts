import type { SocketRequest } from '../transports/socket.ts';

/** What a socket shows of who asks. */
export type Pass = Pick<SocketRequest, 'protocols' | 'headers'>;

/** Whose credentials the one connection shows. All tabs are of one user, so any that hold are good for all. */
export interface Passes {
  /** Undefined before there were any, and after the server refused the last. */
  readonly current: Pass | undefined;
  /** What the next socket shows, after this tab has asked for one. */
  admit(tab: string, asked: Pass): Pass;
  /** The server did not take it. */
  spoil(pass: Pass): void;
  /** True for those that the server refused, or that were renewed. */
  isOld(pass: Pass): boolean;
  forget(tab: string): void;
}

/**
 * Those of the first tab, until the server refuses them, or a tab that had others brings new ones: a refresh. `onRenewed` is called then.
 */
export function createPasses(onRenewed: () => void): Passes {
  const lastOf = new Map<string, string>();
  let current: { readonly pass: Pass; readonly text: string } | undefined;

  return {
    get current() {
      return current?.pass;
    },
    admit(tab, { protocols, headers }) {
      const pass = { protocols, headers };
      const text = textOf(pass);
      const known = lastOf.get(tab);
      lastOf.set(tab, text);
      const isRefreshed = known !== undefined && known !== text;
      if (current && (!isRefreshed || current.text === text)) return current.pass;
      const isRenewed = current !== undefined;
      current = { pass, text };
      if (isRenewed) onRenewed();
      return pass;
    },
    spoil(pass) {
      if (current?.text === textOf(pass)) current = undefined;
    },
    isOld: (pass) => current?.text !== textOf(pass),
    forget: (tab) => void lastOf.delete(tab),
  };
}

const textOf = ({ protocols, headers }: Pass): string => JSON.stringify([protocols, headers]);
