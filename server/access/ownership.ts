import type { AuthContext, OwnershipPolicy, TaskAccess } from '../ports/auth.ts';
import type { TaskAbout } from '../task/about.ts';

/** Refuses every create, and shows nobody a task: for hosts that open one thing after the other. */
export const denyAll: OwnershipPolicy = {
  refuseCreate: () => 'Nobody may create tasks here.',
  allowAccess: () => false,
};

/** The default: anybody may create, and only the owner may see and change. */
export const ownerOnly: OwnershipPolicy = {
  allowAccess: (auth, about) => about.owner === auth.subject,
};

/** Which scopes `requireScopes` asks for, and what holds beside them. */
export interface RequiredScopes {
  /** To see a task: its snapshot, polls, streams and sockets. Defaults to `tasks:read`. */
  readonly read?: string;
  /** To create a task, to answer its questions, to cancel and to remove it. Defaults to `tasks:write`. */
  readonly write?: string;
  /** What is asked of a caller who has the scope. Defaults to `ownerOnly`. */
  readonly within?: OwnershipPolicy;
}

const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/**
 * Asks for scopes, then for what another policy says. Neither scope brings the other. Without it a create is a 403 that names the scope; all else
 * is answered like a task that does not exist. Throws a `RangeError` for a scope that no token could carry.
 */
export function requireScopes({ read = 'tasks:read', write = 'tasks:write', within = ownerOnly }: RequiredScopes = {}): OwnershipPolicy {
  for (const scope of [read, write])
    if (typeof scope !== 'string' || !SCOPE.test(scope))
      throw new RangeError(`The scope ${JSON.stringify(scope)} must be printable, without spaces and quotes.`);
  // A text has parts too: "not-tasks:read" is no right to read.
  const has = ({ scopes }: AuthContext, access: TaskAccess): boolean =>
    Array.isArray(scopes) && scopes.includes(access === 'read' ? read : write);
  return {
    refuseCreate: (auth, task) =>
      has(auth, 'write') ? within.refuseCreate?.(auth, task) : `Creating a task needs credentials with the scope ${write}.`,
    allowAccess: (auth, about, access) => has(auth, access) && mayAccess(within, auth, about, access),
  };
}

/** What a policy says of a task; one that says nothing shows it to its owner. */
export function mayAccess(policy: OwnershipPolicy, auth: AuthContext, about: TaskAbout, access: TaskAccess): Promise<boolean> | boolean {
  return policy.allowAccess ? policy.allowAccess(auth, about, access) : about.owner === auth.subject;
}
