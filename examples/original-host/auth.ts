import { idTokenAuth } from 'taskbridge/adapters/jwt';
import type { AuthContextResolver } from 'taskbridge/server';
import type { HostSettings } from './settings.ts';

const scopes = ['tasks:read', 'tasks:write'];

/** Who asks, by what `TB_AUTH_MODE` says. */
export function authOf(settings: HostSettings): AuthContextResolver {
  return settings.auth === 'firebase' ? firebaseAuth(settings) : demoAuth;
}

/** For demonstrations only: everybody is `demo-user`, as there; whoever brings a bearer token is who it says. */
const demoAuth: AuthContextResolver = ({ headers }) => ({
  subject: /^Bearer ([\w.@-]{1,64})$/.exec(headers.authorization ?? '')?.[1] ?? 'demo-user',
  scopes,
});

/** The ID tokens of a Firebase project, whose user ids are the owners. */
function firebaseAuth({ firebaseProjectId = '' }: HostSettings): AuthContextResolver {
  return idTokenAuth({ projectId: firebaseProjectId, scopes: () => scopes });
}
