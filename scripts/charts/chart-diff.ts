import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';
import { nodesOf } from './chart-reader.ts';
import { eventWord, nameIn, transitionWords } from './words.ts';

/**
 * What an edited chart changes of another, a line for each thing, by its name. Both were loaded by XState, so that it does not matter how
 * each is written: a name or an object with that name, a relative target or the whole one.
 */
export function chartDifferences(before: AnyStateMachine, after: AnyStateMachine): string[] {
  const [old, edited] = [statesOf(before), statesOf(after)];
  const gone = [...old.keys()].filter((name) => !edited.has(name)).map((name) => `state ${name}: is gone`);
  const changed = [...edited].flatMap(([name, node]) => {
    const known = old.get(name);
    if (known) return [...stateChanges(known, node), ...transitionChanges(known, node)].map((change) => `state ${name}: ${change}`);
    return [
      `state ${name}: is new`,
      ...eventsOf(node).flatMap(([, all]) => all.map((one) => `state ${name}: is new, and so is ${words(one)}`)),
    ];
  });
  return [...gone, ...changed, ...fieldChange('context', JSON.stringify(before.config.context), JSON.stringify(after.config.context))];
}

function statesOf(machine: AnyStateMachine): Map<string, AnyStateNode> {
  return new Map(nodesOf(machine.root).map((node) => [nameOf(node), node]));
}

function nameOf(node: AnyStateNode): string {
  return node.path.length === 0 ? '(the whole)' : node.path.join('.');
}

function stateChanges(before: AnyStateNode, after: AnyStateNode): string[] {
  const fields: readonly (readonly [string, (node: AnyStateNode) => string | undefined])[] = [
    ['type', ({ type }) => type],
    ['description', ({ description }) => description],
    ['tags', ({ tags }) => listed(tags)],
    ['begins in', ({ initial }) => initial?.target?.map(nameOf).join()],
    ['entry', ({ entry }) => actionsOf(entry)],
    ['exit', ({ exit }) => actionsOf(exit)],
    ['runs', ({ invoke }) => listed(invoke.map(({ src, id }) => `${nameIn(src)} as ${id}`))],
    ['meta', ({ meta }) => (meta === undefined ? undefined : JSON.stringify(meta))],
  ];
  return fields.flatMap(([name, read]) => fieldChange(name, read(before), read(after)));
}

function transitionChanges(before: AnyStateNode, after: AnyStateNode): string[] {
  const [old, edited] = [new Map(eventsOf(before)), new Map(eventsOf(after))];
  return [...new Set([...old.keys(), ...edited.keys()])].flatMap((event) => {
    const [were, are] = [old.get(event) ?? [], edited.get(event) ?? []];
    if (were.length === are.length)
      return are.flatMap((one, index) => branchChanges(one, were[index] ?? one, are.length > 1 ? ` #${index + 1}` : ''));
    const [was, is] = [were.map(words), are.map(words)];
    return [
      ...was.filter((one) => !is.includes(one)).map((one) => `no more ${one}`),
      ...is.filter((one) => !was.includes(one)).map((one) => `new ${one}`),
    ];
  });
}

function branchChanges(after: AnyTransitionDefinition, before: AnyTransitionDefinition, place: string): string[] {
  const fields: readonly (readonly [string, (one: AnyTransitionDefinition) => string | undefined])[] = [
    ['target', ({ target }) => target?.map(nameOf).join()],
    ['guard', ({ guard }) => guardOf(guard)],
    ['actions', ({ actions }) => actionsOf(actions)],
    ['reenter', ({ reenter }) => String(reenter)],
    ['description', ({ description }) => description],
  ];
  return fields.flatMap(([name, read]) => fieldChange(`${eventWord(String(after.eventType))}${place}, ${name}`, read(before), read(after)));
}

function fieldChange(name: string, before: string | undefined, after: string | undefined): string[] {
  if (before === after) return [];
  return [`${name}: ${shown(after)}, was ${shown(before)}`];
}

function eventsOf(node: AnyStateNode): [string, readonly AnyTransitionDefinition[]][] {
  return [...node.transitions, ...(node.always ? [['', node.always] as [string, AnyTransitionDefinition[]]] : [])];
}

function words(transition: AnyTransitionDefinition): string {
  const target = transition.target?.map(nameOf).join();
  return `${transitionWords(transition)}${target === undefined ? '' : ` → ${target}`}`;
}

function guardOf(guard: unknown): string | undefined {
  return guard === undefined ? undefined : nameIn(guard);
}

function actionsOf(actions: readonly unknown[]): string | undefined {
  // Functions are XState's own: they start and stop the timers of `after`.
  return listed(actions.filter((action) => typeof action !== 'function').map(nameIn));
}

function listed(names: readonly string[]): string | undefined {
  return names.length === 0 ? undefined : names.join(', ');
}

function shown(text: string | undefined): string {
  return text === undefined ? 'none' : text;
}
