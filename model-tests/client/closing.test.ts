import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { drive, newCoverage, type Driven } from './walk/drive.ts';
import { initialStateOf, valueOf, type Beginning } from './walk/walk-state.ts';
import { shortestPaths, type Path } from './walk/plan.ts';
import { createManualServer, type ManualServer } from './walk/manual-server.ts';
import { createClientUnderTest } from './walk/client-under-test.ts';
import { patience } from '../support/patience.ts';

let server: ManualServer;
beforeAll(async () => {
  server = await createManualServer();
});
afterAll(() => server.close());

/** A signal that counts who listens to it. */
function countingSignal(): { readonly controller: AbortController; readonly listeners: Set<unknown> } {
  const controller = new AbortController();
  const listeners = new Set<unknown>();
  const { signal } = controller;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (type: string, listener: EventListenerOrEventListenerObject, options?: AddEventListenerOptions | boolean) => {
    listeners.add(listener);
    add(type, listener, options);
  };
  signal.removeEventListener = (type: string, listener: EventListenerOrEventListenerObject) => {
    listeners.delete(listener);
    remove(type, listener);
  };
  return { controller, listeners };
}

/** What keeps this process alive, by kind. */
function handles(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

interface Situation {
  readonly beginning: Beginning;
  readonly path: Path;
}

/** Each value of all charts with each way in which its connections can be under way, by a shortest path. */
function situationsOf(beginnings: readonly Beginning[]): Map<string, Situation> {
  const found = new Map<string, Situation>();
  for (const beginning of beginnings)
    for (const [state, path] of shortestPaths(initialStateOf(beginning))) {
      const stages = [...state.operations.values()].map(({ operation, stage }) => `${operation} ${stage}`);
      const name = `${valueOf(state)}${stages.length > 0 ? `, ${stages.join(', ')}` : ''}`;
      if (!found.has(name) && !state.isOver) found.set(name, { beginning, path });
    }
  return found;
}

/** Two transports each: what three have more is more of the same. */
const situations = situationsOf([
  { tries: { ws: 1, sse: 1, poll: 0 }, isSettled: true },
  { tries: { ws: 1, sse: 0, poll: 1 }, isSettled: true },
  { tries: { ws: 0, sse: 1, poll: 1 }, isSettled: true },
]);
const newDriven = (): Driven => ({ stimuli: new Map(), moves: new Set(), heard: new Set(), coverage: newCoverage() });

test.each(['close()', 'an aborted signal'] as const)(
  'nothing is left behind by %s in any state: no timer, connection, listener or handle, and nothing is opened afterwards',
  async (how) => {
    const values = new Set([...situations.keys()].map((name) => name.slice(0, name.lastIndexOf('}') + 1)));
    expect([situations.size > 100, values.size > 40]).toEqual([true, true]);
    for (const [name, { beginning, path }] of situations) {
      const before = handles();
      const { controller, listeners } = countingSignal();
      const driver = await createClientUnderTest(server, beginning, { signal: controller.signal });
      await drive(driver, beginning, path, newDriven());
      if (how === 'close()') driver.observation.close();
      else controller.abort();
      const left = { timers: driver.clock.armed, gate: driver.gate.listeners.size, signal: listeners.size };
      expect(left, name).toEqual({ timers: [], gate: 0, signal: 0 });
      expect(driver.chart().getSnapshot().status, name).not.toBe('active');
      await eventually(
        () => server.open.length === 0,
        () => `${name}: a connection is left open`,
      );
      await eventually(
        () => [...handles()].every(([kind, count]) => count <= (before.get(kind) ?? 0)),
        () => `${name}: handles before ${JSON.stringify([...before])}, after ${JSON.stringify([...handles()])}`,
      );
      const came = server.came.length;
      driver.provider.grant();
      driver.gate.set(true);
      const told = driver.told.length;
      // Whatever came late would have come before this.
      const after = fetch(`${server.baseUrl}/after`);
      await eventually(
        () => server.came.length > came,
        () => 'no request',
      );
      server.came.at(-1)?.answer(200, '{}');
      await (await after).text();
      expect([server.came.length - came, driver.told.length - told, driver.clock.armed], name).toEqual([1, 0, []]);
      await driver.client.close();
    }
  },
  patience(300_000),
);
