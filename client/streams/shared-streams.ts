import { isCursor } from '../../machines/wire/index.ts';
import { join } from '../routes.ts';
import type { EventStreamPort } from '../transports/event-stream.ts';
import { StreamGroup } from './stream-group.ts';

/**
 * Event streams that tasks share: all that are asked for at one address with the same credentials, 64 to a stream. Another set is another stream,
 * which has begun before the former is closed. Where a server has no such streams, each task has its own.
 */
export function sharedStreams(): EventStreamPort {
  const groupsByKey = new Map<string, Set<StreamGroup>>();

  function groupFor(key: string, route: string, taskId: string): StreamGroup {
    const known = groupsByKey.get(key) ?? new Set<StreamGroup>();
    groupsByKey.set(key, known);
    const found = [...known].find((group) => group.takes(taskId));
    if (found) return found;
    const group = new StreamGroup(
      (query) => `${route}?${query}`,
      () => {
        known.delete(group);
        if (known.size === 0 && groupsByKey.get(key) === known) groupsByKey.delete(key);
      },
    );
    known.add(group);
    return group;
  }

  return {
    run(request) {
      const { settings, context, authorization, connection, taskId } = request;
      const route = join(settings.baseUrl, settings.routes.sharedStream(context));
      // Another server's cursor may have any form, a comma among it.
      if (!isCursor(connection.cursor ?? '')) return request.alone();
      return groupFor(JSON.stringify([route, authorization.headers]), route, taskId).join(request);
    },
  };
}
