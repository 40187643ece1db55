import { grantedExtensions, saysFallback } from '../../live/extensions.ts';
import type { LiveHub } from '../../live/hub.ts';
import type { ServerChance } from '../../ports/chance.ts';
import type { Clock } from '../../ports/clock.ts';
import type { LiveService } from '../live-service.ts';
import { openSse } from './open-sse.ts';
import { sseHeaders, sseStreamDefaults, type SseStreamSettings } from './settings.ts';
import { createSilentPeers } from './silent-peers.ts';

/** Gives the HTTP routes their long polls and SSE streams from a hub. */
export function createLiveService({
  hub,
  settings = sseStreamDefaults,
  clock,
  chance,
}: {
  readonly hub: LiveHub;
  /** Defaults to `sseStreamDefaults`. */
  readonly settings?: SseStreamSettings;
  readonly clock: Clock;
  readonly chance: ServerChance;
}): LiveService {
  const silentPeers = createSilentPeers({ clock, stalledMs: hub.options.stalledMs });
  hub.onCrowded(silentPeers.giveWay);
  return {
    sseHeaders: sseHeaders(settings),
    poll: (taskId, request) => hub.poll(taskId, request),
    openSse({ req, res, auth, taskId, after, extensions, first }) {
      // A stream whose body nobody is sent: it would never end, and Node keeps its head until there is a body.
      if (req.method === 'HEAD') return void res.writeHead(200, sseHeaders(settings)).end();
      openSse(req, res, {
        taskId,
        auth,
        cursor: after,
        extensions: grantedExtensions(extensions),
        first,
        hub,
        settings,
        silentPeers,
        clock,
        chance,
      });
      if (saysFallback(extensions)) hub.countFallback('sse');
    },
  };
}
