import { connectionMachine, recoveryMachine, transportMachine } from 'taskbridge/machines';
import { Coverage } from '../../charts/coverage.ts';
import type { WalkedEvent } from './chart-system.ts';
import { after, initialStateOf, type Beginning, type WalkState } from './walk-state.ts';
import { moveName, stepsFrom, type Path } from './plan.ts';
import { createManualServer, type ManualServer } from './manual-server.ts';
import { createClientUnderTest, type ClientUnderTest } from './client-under-test.ts';
import { stimuli } from './stimuli.ts';
import type { Stimulus } from './stimulus.ts';
import { eventually } from '../../support/eventually.ts';

/** What a drive has done, by name. */
export interface Driven {
  /** How often each stimulus happened. */
  readonly stimuli: Map<string, number>;
  /** Every move that was made, in the words of the plan. */
  readonly moves: Set<string>;
  /** Whatever leads to the same may happen instead of what was planned. */
  readonly mixes?: boolean;
  /** What was heard in which value of all charts: `value · chart event`. */
  readonly heard: Set<string>;
  /** What the real charts visited, by the name of each. */
  readonly coverage: ReadonlyMap<string, Coverage>;
}

/** What a drive visits of the three charts: nothing yet. */
export function newCoverage(): ReadonlyMap<string, Coverage> {
  return new Map([transportMachine, connectionMachine, recoveryMachine].map((machine) => [machine.id, new Coverage(machine)]));
}

/** Does what the path says to a real client, and holds its charts against the same by themselves after every step. Resolves with where it is then. */
export async function drive(driver: ClientUnderTest, beginning: Beginning, path: Path, driven: Driven): Promise<WalkState> {
  let state = initialStateOf(beginning);
  expectValue(driver, state, 'at the beginning');
  const names: string[] = [];
  for (const { stimulus: planned, to: goal } of path) {
    const stimulus = leastUsed(planned, driven.mixes === true ? goal : undefined, state, driven.stimuli);
    const tells = stimulus.tells(state);
    if (!tells) throw new Error(`"${stimulus.name}" cannot happen after ${names.join(' → ') || 'nothing'}.`);
    const { state: next, told, heard } = after(state, tells.events, tells);
    names.push(stimulus.name);
    const where = names.join(' → ');
    const begun = driver.told.length;
    await Promise.resolve(stimulus.happen(driver, state)).catch((error: unknown) => {
      throw new Error(`${where}: ${String(error)}`);
    });
    await eventually(
      () => driver.told.length >= begun + told.length,
      () => `${where}: the chart should be told ${typesOf(told)}, and was told ${typesOf(driver.told.slice(begun))}.`,
    );
    expectEvents(driver.told.slice(begun), told, where);
    driver.verdict = undefined;
    expectValue(driver, next, where);
    driver.reached(driven.coverage);
    await eventually(
      () => driver.leftOpen().length === 0,
      () =>
        `${where}: left open ${driver
          .leftOpen()
          .map(({ kind }) => kind)
          .join()}`,
    );
    driven.stimuli.set(stimulus.name, (driven.stimuli.get(stimulus.name) ?? 0) + 1);
    for (const name of heard) driven.heard.add(name);
    driven.moves.add(moveName(state, stimulus, next));
    state = next;
  }
  return state;
}

/** Among those that are alike, or those that lead to one goal, the one that happened least. */
function leastUsed(planned: Stimulus, goal: WalkState | undefined, from: WalkState, used: ReadonlyMap<string, number>): Stimulus {
  const count = ({ name }: Stimulus): number => used.get(name) ?? 0;
  const classes = new Set([planned.alike, ...stepsFrom(from).flatMap(({ stimulus, to }) => (to === goal ? [stimulus.alike] : []))]);
  return stimuli
    .filter((one) => classes.has(one.alike) && one.tells(from))
    .reduce((least, one) => (count(one) < count(least) ? one : least), planned);
}

const typesOf = (events: readonly WalkedEvent[]): string => `[${events.map(({ to, type }) => `${to} ${type}`).join(', ')}]`;

function expectEvents(told: readonly WalkedEvent[], planned: readonly WalkedEvent[], where: string): void {
  if (typesOf(told) !== typesOf(planned))
    throw new Error(`${where}: the chart should be told ${typesOf(planned)}, and was told ${typesOf(told)}.`);
  planned.forEach((event, index) => {
    if (!isPartOf(event, told[index]))
      throw new Error(`${where}: told ${JSON.stringify(told[index])} instead of ${JSON.stringify(event)}.`);
  });
}

/** True where all that is wanted is there; more may be. */
function isPartOf(wanted: unknown, found: unknown): boolean {
  if (typeof wanted !== 'object' || wanted === null) return wanted === found;
  if (typeof found !== 'object' || found === null) return false;
  return Object.entries(wanted).every(([name, value]) => isPartOf(value, (found as Readonly<Record<string, unknown>>)[name]));
}

function expectValue(driver: ClientUnderTest, state: WalkState, where: string): void {
  const real = JSON.stringify(driver.values());
  const planned = JSON.stringify(Object.fromEntries(Object.entries(state.charts.values).sort()));
  if (real !== planned) throw new Error(`${where}: the client is in ${real}, its charts should be in ${planned}.`);
}

/** Drives many paths over a few servers at once; gives what went wrong. `atEnd` looks at each client before it is closed. */
export async function driveAll(paths: readonly Path[], beginning: Beginning, driven: Driven, lanes: number): Promise<string[]> {
  const faults: string[] = [];
  const waiting = [...paths];
  const lane = async (server: ManualServer): Promise<void> => {
    for (let path = waiting.shift(); path; path = waiting.shift()) {
      const driver = await createClientUnderTest(server, beginning, { coverage: driven.coverage });
      try {
        await drive(driver, beginning, path, driven);
      } catch (error) {
        faults.push((error as Error).message);
      }
      await driver.client.close();
      await eventually(
        () => server.open.length === 0,
        () => 'something is left open',
      ).catch((error: Error) => faults.push(error.message));
    }
    await server.close();
  };
  await Promise.all(Array.from({ length: lanes }, async () => lane(await createManualServer())));
  return faults;
}
