import type { AnyStateMachine } from 'xstate';
import { suspensionMachine } from '../../machines/suspension/suspension.machine.ts';
import { taskMachine } from '../../machines/task/task.machine.ts';
import { factTypes, isTerminalType, type FactType } from '../../machines/wire/index.ts';
import type { AttemptEvent } from '../../server/attempt/attempt.machine.ts';
import type { Arrow, Box, Drawing } from './drawing.ts';
import { emittedBy } from './fact-emissions.ts';
import { nodesOf } from './chart-reader.ts';

/** What a fact means for the attempt behind its task, as its event. `server/task/unit-of-work.ts` decides it; a test holds this to it. */
export const attemptEvents: Readonly<Partial<Record<FactType, AttemptEvent['type']>>> = {
  TASK_ACTION_ACCEPTED: 'resolution.pending',
  TASK_SUSPENSION_CLOSED: 'resolution.pending',
  TASK_CANCEL_REQUESTED: 'cancel.requested',
  TASK_COMPLETED: 'task.ended',
  TASK_FAILED: 'task.ended',
  TASK_CANCELLED: 'task.ended',
};

/** Which chart decides on which facts, and which charts each fact moves. Facts that come from the same and go to the same stand together. */
export function factFeeds(): Drawing {
  const groups = new Map<string, FactType[]>();
  for (const fact of factTypes) {
    const key = JSON.stringify([sourcesOf(fact), feedsOf(fact)]);
    groups.set(key, [...(groups.get(key) ?? []), fact]);
  }
  const boxes: Box[] = [];
  const arrows: Arrow[] = [];
  for (const facts of groups.values()) {
    const [first] = facts;
    if (first === undefined) continue;
    const id = `log.${first}`;
    boxes.push(boxOf(id, groupName(facts), facts));
    for (const source of sourcesOf(first)) arrows.push({ from: source, to: id, lines: [] });
    for (const [chart, event] of feedsOf(first)) arrows.push({ from: id, to: chart, lines: event === '' ? [] : [event] });
  }
  const log: Box = { ...boxOf('log', 'the log of a task', ['facts, in their order']), states: boxes };
  const everywhere: Arrow[] = [
    { from: 'log', to: 'server', lines: ['each fact, as it is committed'] },
    { from: 'log', to: 'client', lines: ['each fact, as it arrives'] },
  ];
  const states = [
    boxOf('decide.task', 'task', ['decides intents']),
    boxOf('decide.suspension', 'suspension', ['decides actions, expiries']),
    log,
    boxOf('suspension', 'suspension', ['one for each question']),
    boxOf('attempt', 'attempt', ['on the server']),
    boxOf('server', 'task · viewer', ['on every server node']),
    boxOf('client', 'connection · transport · task', ['in every client']),
  ];
  return { root: { ...boxOf('feeds', 'feeds', []), states }, arrows: [...arrows, ...everywhere] };
}

function boxOf(id: string, name: string, lines: readonly string[]): Box {
  return { id, name, tags: [], kind: 'state', lines, states: [] };
}

function groupName(facts: readonly FactType[]): string {
  return facts.every(isTerminalType) ? 'the end' : facts.length > 1 ? 'facts' : 'fact';
}

function sourcesOf(fact: FactType): string[] {
  const emits = (chart: AnyStateMachine): boolean =>
    nodesOf(chart.root).some((node) =>
      [...node.transitions.values()]
        .flat()
        .some(({ actions }) =>
          actions.some((action) => typeof action === 'string' && action.startsWith('emit') && emittedBy(action).fact === fact),
        ),
    );
  return [...(emits(taskMachine) ? ['decide.task'] : []), ...(emits(suspensionMachine) ? ['decide.suspension'] : [])];
}

/** The charts that only some facts move, each with the event that it is told, where that is another. */
function feedsOf(fact: FactType): (readonly [string, string])[] {
  const isKnown = nodesOf(suspensionMachine.root).some((node) => node.transitions.has(fact));
  const event = attemptEvents[fact];
  return [...(isKnown ? [['suspension', ''] as const] : []), ...(event === undefined ? [] : [['attempt', event] as const])];
}
