import { isStart } from '../../../machines/wire/index.ts';
import { askedParts, grantedExtensions, saysFallback, streamExtensions } from '../../live/extensions.ts';
import type { LiveHub } from '../../live/hub.ts';
import type { LogRun } from '../../live/log-read.ts';
import type { ServerChance } from '../../ports/chance.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/observability.ts';
import type { LiveService, SseRequest } from '../live-service.ts';
import { openSse } from './open-sse.ts';
import { openSharedSse } from './shared-stream.ts';
import { sseHeaders, sseStreamDefaults, type SseStreamSettings } from './settings.ts';
import { createSilentPeers } from './silent-peers.ts';
import type { StreamConnectionDeps } from './stream-connection.ts';

/** Gives the HTTP routes their long polls and SSE streams from a hub. */
export function createLiveService({
  hub,
  settings = sseStreamDefaults,
  clock,
  chance,
  logger,
}: {
  readonly hub: LiveHub;
  /** Defaults to `sseStreamDefaults`. */
  readonly settings?: SseStreamSettings;
  readonly clock: Clock;
  readonly chance: ServerChance;
  readonly logger?: Logger | undefined;
}): LiveService {
  const silentPeers = createSilentPeers({ clock, stalledMs: hub.options.stalledMs });
  const deps: StreamConnectionDeps = { hub, settings, silentPeers, clock, chance };
  hub.onCrowded(silentPeers.giveWay);
  return {
    sseHeaders: sseHeaders(settings),
    poll: (taskId, request) => hub.poll(taskId, request),
    openSse(request) {
      const { req, res, taskId, after, first } = request;
      // A stream whose body nobody is sent: it would never end, and Node keeps its head until there is a body.
      if (req.method === 'HEAD') return void res.writeHead(200, sseHeaders(settings)).end();
      if (first || isStart(after)) return open(request, first);
      return hub.readFirst(taskId, after, settings.replayFactsMax).then((run) => open(request, run));
    },
    openSharedSse({ req, res, auth, tasks, extensions: asked }) {
      const extensions = [...(grantedExtensions(asked, streamExtensions, hub.hasParts) ?? []), 'multiplex' as const];
      openSharedSse({ req, res, auth, tasks, extensions, logger }, deps);
      if (saysFallback(asked)) hub.countFallback('sse');
    },
  };

  function open({ req, res, auth, taskId, after, extensions, parts }: SseRequest, first: LogRun | undefined): void {
    const granted = grantedExtensions(extensions, streamExtensions, hub.hasParts);
    // A browser's own EventSource asks again for ever after the end of a stream, and stops at a 204.
    if (first && !isStart(after) && isAtEnd(first)) return void res.writeHead(204, { 'Cache-Control': 'no-store' }).end();
    openSse({ req, res, auth, taskId, cursor: after, extensions: granted, parts: askedParts(granted, parts), first }, deps);
    if (saysFallback(extensions)) hub.countFallback('sse');
  }
}

/** True where nothing follows, and nothing ever will. */
function isAtEnd({ entries, gap, ended }: LogRun): boolean {
  return ended && entries.length === 0 && gap === undefined;
}
