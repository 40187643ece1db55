import { hostLogger } from '../ports/host-logger.ts';
import type { Logger } from '../ports/observability.ts';

/**
 * A host's logger without what these paths name, for what has a logger of its own: `inProcess`, the stores, `jwtAuth`. They take out
 * `redactDefaults` by themselves; a bridge and a reporter take the paths as `redact`. Throws a `TypeError` as these do.
 */
export function redactedLogger(logger: Logger, redact: readonly string[]): Logger {
  return hostLogger(logger, redact);
}
