import { createTaskBridgeClient, type TaskBridgeClientOptions } from '../../client/node/index.ts';
import { sharedStreams } from '../../client/streams/index.ts';
import type { ClientDriver, DrivenClient, DrivenObservation, WireFact } from '../conformance/index.ts';

const restMs = 20;
const limits = { backoffBaseMs: restMs, backoffMaxMs: 10 * restMs, emptyPauseMs: restMs, pollWaitMs: 1000 };

/** Our client as the kit drives it: with short rests, else as it comes. */
export const ourClient: ClientDriver = driverOf();

/** The same where tasks share their event streams; it has no other transport. */
export const ourSharingClient: ClientDriver = { ...driverOf({ streams: sharedStreams() }), transports: ['sse'] };

function driverOf(more: Partial<TaskBridgeClientOptions> = {}): ClientDriver {
  return {
    transports: ['ws', 'sse', 'poll'],
    restMs,
    adjusts: ['livenessMs', 'openMs', 'frameBytesMax'],
    async open({ baseUrl, transports, tokens, ...adjusted }): Promise<DrivenClient> {
      let refreshes = 0;
      const client = createTaskBridgeClient({
        baseUrl,
        transports,
        ...more,
        ...(tokens && {
          auth({ forceRefresh }) {
            if (forceRefresh) refreshes += 1;
            return tokens[refreshes];
          },
        }),
        limits: { ...limits, ...adjusted },
      });
      return {
        observe(taskId, options = {}): DrivenObservation {
          const observation = client.observe(taskId, options);
          return {
            // What the client knows by other names travels as it came.
            [Symbol.asyncIterator]: () => observation[Symbol.asyncIterator]() as AsyncIterator<WireFact>,
            continuity: async () => observation.getSnapshot().connection.continuity,
            close: () => observation.close(),
          };
        },
        act: (taskId, action) => client.act(taskId, action),
        refreshes: async () => refreshes,
        close: () => client.close(),
      };
    },
  };
}
