import { inProcess, TaskFailure } from '../../adapters/in-process/index.ts';
import { memoryAttachments } from '../../adapters/memory/index.ts';
import type { Store } from '../../server/index.ts';
import { contractWork, startHost, type RunningHost, type ServerProfile, type ServerUnderTest } from '../conformance/index.ts';

const profile: ServerProfile = { heartbeatMs: 300, trimmedFromFacts: 600 };

/** Our server as the kit sees it. */
export interface OurServer {
  readonly host: RunningHost;
  readonly world: ServerUnderTest;
}

/** Starts it on a store, with the tasks of the contract and times that are short. */
export async function startOurServer(store: Store): Promise<OurServer> {
  const work = contractWork({
    failure: (code, message, retryable) => new TaskFailure(code, message, { retryable }),
    codeOf: (error) => (error instanceof TaskFailure ? error.code : undefined),
  });
  const { heartbeatMs } = profile;
  const host = await startHost(inProcess(work), {
    store,
    // Shared as far as one process can share.
    attachments: { ...memoryAttachments(), shared: true },
    tasks: { retainedFactsMax: 300 },
    live: { heartbeatMs, sseHeartbeatMs: heartbeatMs, socketsPerOwnerMax: 2000 },
  });
  return { host, world: { baseUrl: host.url, credentials: (owner) => ({ authorization: owner }), profile } };
}
