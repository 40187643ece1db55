import { on, isGateOpen, type Stimulus } from './stimulus.ts';
import { answerStimuli } from './answer-stimuli.ts';
import { regionsOf, runningOf, type Moment } from './moment.ts';
import { streamStimuli } from './stream-stimuli.ts';
import { delayNames } from './times.ts';

/** The stream, however far it has come, whose credentials come to their end first. */
function expiring(moment: Moment): 'ws' | 'sse' | undefined {
  if (!isGateOpen(moment)) return undefined;
  for (const { errand, isRenewed } of moment.errands.values()) if (!isRenewed && (errand === 'ws' || errand === 'sse')) return errand;
  return undefined;
}

const renewed = on('credentials.renewed');

const host: readonly Stimulus[] = [
  {
    name: 'gate: opens',
    alike: 'gate: opens',
    tells: ({ snapshot }) => (regionsOf(snapshot)?.gate === 'closed' ? { events: [on('gate.opened')] } : undefined),
    happen: (puppet) => puppet.gate.set(true),
  },
  {
    name: 'gate: closes',
    alike: 'gate: closes',
    tells: ({ snapshot }) => (regionsOf(snapshot)?.gate === 'open' ? { events: [on('gate.closed')] } : undefined),
    happen: (puppet) => puppet.gate.set(false),
  },
  {
    name: 'consumer: catches up',
    alike: 'consumer: catches up',
    tells: ({ snapshot }) => (regionsOf(snapshot)?.delivering === 'full' ? { events: [on('consumer.drained')] } : undefined),
    happen: (puppet) => puppet.catchUp(),
  },
  {
    name: 'provider: fails',
    alike: 'provider: fails',
    tells(moment) {
      const held = [...moment.errands.values()].find(({ errand, stage }) => stage === 'held' && errand !== 'refresh');
      return held && { events: [on(held.errand === 'settle' ? 'xstate.error.actor.settle' : 'credentials.failed')] };
    },
    happen: (puppet) => puppet.provider.fail(false),
  },
  {
    name: 'provider: renews before the end',
    alike: 'provider: renews before the end',
    tells(moment) {
      const renews = expiring(moment);
      return renews && { grants: true, renews, events: [renewed] };
    },
    async happen(puppet, moment) {
      await puppet.request(expiring(moment) ?? 'ws');
      puppet.pass('renewal');
      await puppet.provider.renew();
    },
  },
  {
    name: 'provider: renews before the end, when the gate has just closed',
    alike: 'provider: renews behind the gate',
    tells(moment) {
      const renews = expiring(moment);
      return renews && { grants: true, renews, events: [on('gate.closed'), renewed] };
    },
    async happen(puppet, moment) {
      await puppet.request(expiring(moment) ?? 'ws');
      puppet.pass('renewal');
      await puppet.provider.renew(() => puppet.gate.set(false));
    },
  },
  {
    name: 'provider: gives new credentials',
    alike: 'provider: gives new credentials',
    tells: (moment) => (runningOf(moment, 'refresh')?.stage === 'held' ? { events: [on('xstate.done.actor.refresh')] } : undefined),
    happen: (puppet) => puppet.provider.renew(),
  },
  {
    name: 'provider: has no new credentials',
    alike: 'provider: has no new credentials',
    tells: (moment) => (runningOf(moment, 'refresh')?.stage === 'held' ? { events: [on('xstate.error.actor.refresh')] } : undefined),
    happen: (puppet) => puppet.provider.fail(true),
  },
];

const timers: readonly Stimulus[] = delayNames.map((name) => ({
  name: `time: ${name}`,
  alike: `time: ${name}`,
  tells({ snapshot }) {
    const events = [...typesOf(snapshot)].filter((type) => type.startsWith(`xstate.after.${name}.`));
    return events[0] === undefined ? undefined : { events: [on(events[0])] };
  },
  happen: (puppet) => puppet.pass(name),
}));

/** The events that the active states have arrows for. */
function typesOf(snapshot: Moment['snapshot']): Set<string> {
  return new Set(snapshot._nodes.flatMap((node) => [...node.transitions.keys()]));
}

/** All that a client may meet. */
export const stimuli: readonly Stimulus[] = [...host, ...streamStimuli, ...answerStimuli, ...timers];
