import { inProcess, TaskFailure } from '../../adapters/in-process/index.ts';
import { memoryAttachments } from '../../adapters/memory/index.ts';
import type { Store, TaskExecutor } from '../../server/index.ts';
import { patience } from '../support/patience.ts';
import { contractWork, startHost, type RunningHost, type ServerProfile, type ServerUnderTest } from '../conformance/index.ts';

const profile: ServerProfile = {
  // Server and clients share a process here: while that opens 300 streams on a busy machine, nobody answers a ping.
  heartbeatMs: patience(2000),
  trimmedFromFacts: 600,
  subscribeMs: Math.min(5000, patience(2000)),
  uploadBytesMax: 100_000,
  tasksPerSocketMax: 12,
  socketsPerOwnerMax: 150,
  viewersMax: 300,
  viewersPerOwnerMax: 220,
  refusedType: 'conformance.refused',
  patienceMs: 15_000,
};
const allowedOrigin = 'https://app.example.com';

/** Our server as the kit sees it. */
export interface OurServer {
  readonly world: ServerUnderTest;
  close(): Promise<void>;
}

/** Starts it on what `openStore` makes, for each of its lives anew, with the tasks of the contract and limits that are low. */
export async function startOurServer(openStore: () => Store): Promise<OurServer> {
  // Shared as far as one process can share.
  const attachments = { ...memoryAttachments(), shared: true };
  let isStoreLost = false;
  const start = (port: number): Promise<RunningHost> =>
    startHost([work(), refusing], {
      port,
      store: losable(openStore(), () => isStoreLost),
      attachments,
      auth: ({ headers: { authorization, cookie } }) => {
        const subject = /^Bearer (one|two)$/.exec(authorization ?? '')?.[1] ?? /\bsession=(one|two)\b/.exec(cookie ?? '')?.[1];
        return subject === undefined ? undefined : { subject };
      },
      allowedOrigins: [allowedOrigin],
      tasks: { retainedFactsMax: 300 },
      http: { uploadBytesMax: profile.uploadBytesMax ?? 0 },
      live: {
        heartbeatMs: profile.heartbeatMs,
        sseHeartbeatMs: profile.heartbeatMs,
        storeRetryMs: 20,
        subscribeMs: profile.subscribeMs ?? 0,
        tasksPerSocketMax: profile.tasksPerSocketMax ?? 0,
        socketsPerOwnerMax: profile.socketsPerOwnerMax ?? 0,
        viewersMax: profile.viewersMax ?? 0,
        viewersPerOwnerMax: profile.viewersPerOwnerMax ?? 0,
      },
    });
  let host = await start(0);
  const world: ServerUnderTest = {
    baseUrl: host.url,
    credentials: (owner) => ({ authorization: `Bearer ${owner}` }),
    profile,
    browser: { token: (owner) => owner, cookie: (owner) => `theme=dark; session=${owner}`, allowedOrigin },
    async restart() {
      await host.close();
      host = await start(Number(new URL(world.baseUrl).port));
    },
    async loseStore() {
      isStoreLost = true;
      return async () => void (isStoreLost = false);
    },
  };
  return { world, close: () => host.close() };
}

function work(): TaskExecutor {
  const handlers = contractWork({
    failure: (code, message, retryable) => new TaskFailure(code, message, { retryable }),
    codeOf: (error) => (error instanceof TaskFailure ? error.code : undefined),
  });
  return inProcess(Object.fromEntries(Object.entries(handlers).map(([type, run]) => [type, { run, repeatable: true }])));
}

/** Takes one type of work for its own, and none of it. */
const refusing: TaskExecutor = {
  ...inProcess({ [profile.refusedType ?? '']: () => Promise.reject(new Error('Never started.')) }),
  start: async () => ({ status: 'refused', failure: { code: 'NO_CAPACITY', message: 'Nobody does this any more.', retryable: false } }),
};

/** The store, out of reach while it is lost. */
function losable(store: Store, isLost: () => boolean): Store {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function' || name === 'open' || name === 'close' || name === 'tail') return member;
      return async (...given: unknown[]): Promise<unknown> => {
        if (isLost()) throw new Error('The store is out of reach.');
        return (member as (...all: unknown[]) => unknown).apply(target, given);
      };
    },
  });
}
