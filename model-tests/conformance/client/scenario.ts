import type { WireFact } from '../server/calls.ts';
import type { Case } from '../suite/case.ts';
import { holds, same, says } from '../suite/claim.ts';
import {
  lastWords,
  type ClientDriver,
  type ClientTransport,
  type DrivenClient,
  type DrivenClientOptions,
  type DrivenObservation,
} from './driver.ts';
import { startScriptedServer, type ScriptedRefusal, type ScriptedServer, type ServerScript, type Visit } from './scripted-server.ts';

export const TASK = '00112233445566778899aabbccddeeff';
export const every: readonly ClientTransport[] = ['ws', 'sse', 'poll'];

export const id = (n: number): string => `${n}-1000`;
export const fact = (n: number, type = 'TASK_PROGRESS', payload: Readonly<Record<string, unknown>> = { progress: n % 100 }): WireFact => ({
  type,
  taskId: TASK,
  eventId: id(n),
  createdAt: '2026-01-01T00:00:00Z',
  payload,
});
export const completed = (n: number): WireFact => fact(n, 'TASK_COMPLETED', { result: 'all' });
/** Facts number `from` to `to`, the last of `whole` the terminal one. */
export const facts = (from: number, to: number, whole = to): WireFact[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => (from + i === whole ? completed(whole) : fact(from + i)));
export const numberOf = (cursor: string | null): number => Number.parseInt(cursor ?? '0', 10) || 0;

/** A script, a client before it, and what the client delivered. */
export interface ClientScenario {
  readonly server: ScriptedServer;
  readonly client: DrivenClient;
  observe(lastEventId?: string): DrivenObservation;
}

export async function withScenario<T>(
  driver: ClientDriver,
  transports: readonly ClientTransport[],
  script: ServerScript,
  play: (scenario: ClientScenario) => Promise<T>,
  options: Pick<DrivenClientOptions, 'tokens' | 'livenessMs' | 'openMs' | 'frameBytesMax'> = {},
): Promise<T> {
  const server = await startScriptedServer(script);
  const client = await driver.open({ baseUrl: server.baseUrl, transports, ...options });
  try {
    return await play({ server, client, observe: (lastEventId) => client.observe(TASK, lastEventId === undefined ? {} : { lastEventId }) });
  } finally {
    await client.close();
    await server.close();
  }
}

export async function all(observation: AsyncIterable<WireFact>): Promise<WireFact[]> {
  const seen: WireFact[] = [];
  for await (const each of observation) seen.push(each);
  return seen;
}

/** One case for each transport that makes a difference. */
export function over(
  kinds: readonly ClientTransport[],
  make: (kind: ClientTransport) => Omit<Case<ClientDriver>, 'run'> & { run: (driver: ClientDriver) => Promise<void> },
): Case<ClientDriver>[] {
  return kinds.map((kind) => {
    const one = make(kind);
    const missing = (driver: ClientDriver): string | undefined | Promise<string | undefined> =>
      driver.transports.includes(kind) ? one.missing?.(driver) : `the client has no ${kind}.`;
    return { ...one, missing, id: `${one.id}-${kind}`, title: `${one.title} (${kind})` };
  });
}

/** Says what a driver cannot set. */
export const adjusting =
  (name: NonNullable<ClientDriver['adjusts']>[number]) =>
  ({ adjusts = [] }: ClientDriver): string | undefined =>
    adjusts.includes(name) ? undefined : `the driver cannot set ${name} (adjusts).`;

/** Proves that an observation is given up with an error that names this, after so many callers at most. */
export async function givesUp({ server, observe }: ClientScenario, named: string, callersMax: number, after?: string): Promise<void> {
  const outcome = await all(observe(after)).then(
    (seen) => `it ended after ${seen.length} facts`,
    (error: unknown) => lastWords(error),
  );
  says(outcome, named, 'what the observation was given up with');
  holds(server.callers.length <= callersMax, `it came ${server.callers.length} times, and ${callersMax} are enough`);
}

/** Proves that a script of refusals is given up. */
export function final(
  driver: ClientDriver,
  kind: ClientTransport,
  refusal: ScriptedRefusal,
  after?: string,
  tokens?: readonly string[],
): Promise<void> {
  const script: ServerScript = { refuse: () => refusal, serve: () => undefined };
  return withScenario(driver, [kind], script, (played) => givesUp(played, refusal.code, 3, after), { ...(tokens && { tokens }) });
}

/** A server that gives three facts a visit; `leave` is how it ends one. Proves that the client rests, and goes on where it was. */
export function pieces(driver: ClientDriver, kind: ClientTransport, leave: (visit: Visit) => void, whole = 20): Promise<void> {
  const script: ServerScript = {
    serve(visit) {
      const from = numberOf(visit.after) + 1;
      const to = Math.min(whole, from + 2);
      // A poll's connection is lost instead of its page, every other time.
      if (kind === 'poll' && visit.number % 2 === 0) return leave(visit);
      visit.send(...facts(from, to, whole));
      if (to < whole && kind !== 'poll') leave(visit);
    },
  };
  return withScenario(driver, [kind], script, async ({ server, observe }) => {
    same(await all(observe()), facts(1, whole));
    const asked = server.visits.map(({ after }) => numberOf(after));
    const later = asked.every((n, i) => i === 0 || n >= (asked[i - 1] ?? 0));
    holds(later && (asked.at(-1) ?? 0) >= whole - 5, `the cursors were to rise, and were ${asked.join(', ')}`);
  });
}

/**
 * The pauses between callers, in milliseconds. None is shorter than the client's own, however late this process was: a client begins to rest
 * when it is told something, which is after its call was seen here, and its next call is seen after it was made. For what a client times from
 * its own call on, this is no measure.
 */
export function pausesOf({ callers }: ScriptedServer): number[] {
  return callers.slice(1).map(({ at }, i) => Math.round(at - (callers[i]?.at ?? 0)));
}
