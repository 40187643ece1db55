import type { TransportInput } from 'taskbridge/machines';
import type { Coverage } from '../../charts/coverage.ts';
import { after, beginningOf, hearings, type Moment } from './moment.ts';
import { moveName, stepsFrom, type Path } from './plan.ts';
import { createPuppetServer, type PuppetServer } from './puppet-server.ts';
import { createPuppet, type Budget, type Puppet } from './puppet.ts';
import { stimuli } from './stimuli.ts';
import type { Stimulus } from './stimulus.ts';
import type { WalkedEvent } from '../transport-alphabet.ts';
import { eventually } from '../../support/eventually.ts';

/** What a drive has done, by name. */
export interface Driven {
  /** How often each stimulus happened. */
  readonly stimuli: Map<string, number>;
  /** Every move that was made, in the words of the plan. */
  readonly moves: Set<string>;
  /** Whatever leads to the same may happen instead of what was planned. */
  readonly mixes?: boolean;
  /** What was heard in which value of the whole chart: `value · event type`. */
  readonly heard: Set<string>;
  /** What the real charts visited. */
  readonly coverage: Coverage;
}

export const inputOf = (tries: Budget): TransportInput => ({ tries, strategy: 'progressive-sticky', refreshable: true });

/** Does what the path says to a real client, and holds its chart against the pure one after every step. Resolves with where it is then. */
export async function drive(puppet: Puppet, tries: Budget, path: Path, driven: Driven): Promise<Moment> {
  let moment = beginningOf(inputOf(tries));
  expectValue(puppet, moment, 'at the beginning');
  const names: string[] = [];
  for (const { stimulus: planned, key: goal } of path) {
    const stimulus = leastUsed(planned, driven.mixes === true ? goal : undefined, moment, driven.stimuli);
    const tells = stimulus.tells(moment);
    if (!tells) throw new Error(`"${stimulus.name}" cannot happen after ${names.join(' → ') || 'nothing'}.`);
    const { moment: next, told } = after(moment, tells.events, tells);
    names.push(stimulus.name);
    const where = names.join(' → ');
    const begun = puppet.told.length;
    await Promise.resolve(stimulus.happen(puppet, moment)).catch((error: unknown) => {
      throw new Error(`${where}: ${String(error)}`);
    });
    await eventually(
      () => puppet.told.length >= begun + told.length,
      () => `${where}: the chart should be told ${typesOf(told)}, and was told ${typesOf(puppet.told.slice(begun))}.`,
    );
    expectEvents(puppet.told.slice(begun), told, where);
    puppet.verdict = undefined;
    expectValue(puppet, next, where);
    driven.coverage.reach(puppet.chart().getSnapshot());
    await eventually(
      () => puppet.leftOpen().length === 0,
      () =>
        `${where}: left open ${puppet
          .leftOpen()
          .map(({ kind }) => kind)
          .join()}`,
    );
    driven.stimuli.set(stimulus.name, (driven.stimuli.get(stimulus.name) ?? 0) + 1);
    for (const name of hearings(moment, told)) driven.heard.add(name);
    driven.moves.add(moveName(moment, stimulus, next));
    moment = next;
  }
  return moment;
}

/** Among those that are alike, or those that lead to one goal, the one that happened least. */
function leastUsed(planned: Stimulus, goal: string | undefined, from: Moment, used: ReadonlyMap<string, number>): Stimulus {
  const count = ({ name }: Stimulus): number => used.get(name) ?? 0;
  const classes = new Set([planned.alike, ...stepsFrom(from).flatMap(({ stimulus, key }) => (key === goal ? [stimulus.alike] : []))]);
  return stimuli
    .filter((one) => classes.has(one.alike) && one.tells(from))
    .reduce((least, one) => (count(one) < count(least) ? one : least), planned);
}

const typesOf = (events: readonly WalkedEvent[]): string => `[${events.map(({ type }) => type).join(', ')}]`;

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

function expectValue(puppet: Puppet, { snapshot }: Moment, where: string): void {
  const real = JSON.stringify(puppet.chart().getSnapshot().value);
  const planned = JSON.stringify(snapshot.value);
  if (real !== planned) throw new Error(`${where}: the client is in ${real}, its chart should be in ${planned}.`);
}

/** Drives many paths over a few servers at once; gives what went wrong. `atEnd` looks at each client before it is closed. */
export async function driveAll(paths: readonly Path[], tries: Budget, driven: Driven, lanes: number): Promise<string[]> {
  const faults: string[] = [];
  const waiting = [...paths];
  const lane = async (server: PuppetServer): Promise<void> => {
    for (let path = waiting.shift(); path; path = waiting.shift()) {
      const puppet = await createPuppet(server, tries, { coverage: driven.coverage });
      try {
        await drive(puppet, tries, path, driven);
      } catch (error) {
        faults.push((error as Error).message);
      }
      await puppet.client.close();
      await eventually(
        () => server.open.length === 0,
        () => 'something is left open',
      ).catch((error: Error) => faults.push(error.message));
    }
    await server.close();
  };
  await Promise.all(Array.from({ length: lanes }, async () => lane(await createPuppetServer())));
  return faults;
}
