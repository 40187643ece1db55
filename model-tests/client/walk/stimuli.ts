import { on, isGateOpen, type Stimulus } from './stimulus.ts';
import { answerStimuli } from './answer-stimuli.ts';
import { regionsOf, runningOf, type WalkState } from './walk-state.ts';
import { streamStimuli } from './stream-stimuli.ts';
import { delayNames } from './times.ts';

/** The stream, however far it has come, whose credentials come to their end first. */
function expiring(state: WalkState): 'ws' | 'sse' | undefined {
  if (!isGateOpen(state)) return undefined;
  for (const { operation, isRenewed } of state.operations.values())
    if (!isRenewed && (operation === 'ws' || operation === 'sse')) return operation;
  return undefined;
}

const renewed = on('credentials.renewed');

const host: readonly Stimulus[] = [
  {
    name: 'gate: opens',
    alike: 'gate: opens',
    tells: ({ snapshot }) => (regionsOf(snapshot)?.gate === 'closed' ? { events: [on('gate.opened')] } : undefined),
    happen: (driver) => driver.gate.set(true),
  },
  {
    name: 'gate: closes',
    alike: 'gate: closes',
    tells: ({ snapshot }) => (regionsOf(snapshot)?.gate === 'open' ? { events: [on('gate.closed')] } : undefined),
    happen: (driver) => driver.gate.set(false),
  },
  {
    name: 'consumer: catches up',
    alike: 'consumer: catches up',
    tells: ({ snapshot }) => (regionsOf(snapshot)?.delivering === 'full' ? { events: [on('consumer.drained')] } : undefined),
    happen: (driver) => driver.catchUp(),
  },
  {
    name: 'provider: fails',
    alike: 'provider: fails',
    tells(state) {
      const held = [...state.operations.values()].find(({ operation, stage }) => stage === 'held' && operation !== 'refresh');
      return held && { events: [on(held.operation === 'settle' ? 'xstate.error.actor.settle' : 'credentials.failed')] };
    },
    happen: (driver) => driver.provider.fail(false),
  },
  {
    name: 'provider: renews before the end',
    alike: 'provider: renews before the end',
    tells(state) {
      const renews = expiring(state);
      return renews && { grants: true, renews, events: [renewed] };
    },
    async happen(driver, state) {
      await driver.request(expiring(state) ?? 'ws');
      driver.pass('renewal');
      await driver.provider.renew();
    },
  },
  {
    name: 'provider: renews before the end, when the gate has just closed',
    alike: 'provider: renews behind the gate',
    tells(state) {
      const renews = expiring(state);
      return renews && { grants: true, renews, events: [on('gate.closed'), renewed] };
    },
    async happen(driver, state) {
      await driver.request(expiring(state) ?? 'ws');
      driver.pass('renewal');
      await driver.provider.renew(() => driver.gate.set(false));
    },
  },
  {
    name: 'provider: gives new credentials',
    alike: 'provider: gives new credentials',
    tells: (state) => (runningOf(state, 'refresh')?.stage === 'held' ? { events: [on('xstate.done.actor.refresh')] } : undefined),
    happen: (driver) => driver.provider.renew(),
  },
  {
    name: 'provider: has no new credentials',
    alike: 'provider: has no new credentials',
    tells: (state) => (runningOf(state, 'refresh')?.stage === 'held' ? { events: [on('xstate.error.actor.refresh')] } : undefined),
    happen: (driver) => driver.provider.fail(true),
  },
];

const timers: readonly Stimulus[] = delayNames.map((name) => ({
  name: `time: ${name}`,
  alike: `time: ${name}`,
  tells({ snapshot }) {
    const events = [...typesOf(snapshot)].filter((type) => type.startsWith(`xstate.after.${name}.`));
    return events[0] === undefined ? undefined : { events: [on(events[0])] };
  },
  happen: (driver) => driver.pass(name),
}));

/** The events that the active states have arrows for. */
function typesOf(snapshot: WalkState['snapshot']): Set<string> {
  return new Set(snapshot._nodes.flatMap((node) => [...node.transitions.keys()]));
}

/** All that a client may meet. */
export const stimuli: readonly Stimulus[] = [...host, ...streamStimuli, ...answerStimuli, ...timers];
