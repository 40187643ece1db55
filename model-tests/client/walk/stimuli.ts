import { on, isGateOpen, type Stimulus } from './stimulus.ts';
import { answerStimuli } from './answer-stimuli.ts';
import { regionsOf, runningOf, type WalkState } from './walk-state.ts';
import { streamStimuli } from './stream-stimuli.ts';
import { delayNames } from './times.ts';

/** The stream, however far it has come, whose credentials come to their end first. */
function expiring(state: WalkState): 'ws' | 'sse' | undefined {
  // Where newer ones have been given meanwhile, nobody is asked.
  if (!isGateOpen(state) || !state.isExpiring || state.hasNewer) return undefined;
  for (const { operation, isRenewed } of state.operations.values())
    if (!isRenewed && (operation === 'ws' || operation === 'sse')) return operation;
  return undefined;
}

/** What the recovery is told when the provider has answered it. */
function afterRefresh(state: WalkState, outcome: 'given' | 'none' | 'failed', verdict?: 'final'): ReturnType<Stimulus['tells']> {
  if (runningOf(state, 'refresh')?.stage !== 'held') return undefined;
  return { events: [on('refresh.done', { output: { outcome, ...(verdict && { verdict }) } })] };
}

/** The stream that waits for credentials. */
function heldStream({ operations }: WalkState): 'ws' | 'sse' | undefined {
  for (const { operation, stage } of operations.values())
    if (stage === 'held' && (operation === 'ws' || operation === 'sse')) return operation;
  return undefined;
}

const host: readonly Stimulus[] = [
  {
    name: 'gate: opens',
    alike: 'gate: opens',
    tells: (state) => (isGateOpen(state) ? undefined : { gate: true, events: [] }),
    happen: (driver) => driver.gate.set(true),
  },
  {
    name: 'gate: closes',
    alike: 'gate: closes',
    tells: (state) => (isGateOpen(state) ? { gate: false, events: [] } : undefined),
    happen: (driver) => driver.gate.set(false),
  },
  {
    name: 'network: changes',
    alike: 'network: changes',
    tells: (state) => (isGateOpen(state) ? { events: [on('network.changed')] } : undefined),
    happen: (driver) => driver.changeNetwork(),
  },
  {
    name: 'provider: gives credentials',
    alike: 'provider: gives credentials',
    tells: (state) => (heldStream(state) ? { grants: true, events: [] } : undefined),
    happen: async (driver, state) => void (await driver.request(heldStream(state) ?? 'ws')),
  },
  {
    name: 'consumer: catches up',
    alike: 'consumer: catches up',
    tells: (state) => (regionsOf(state)?.delivering === 'full' ? { events: [on('consumer.drained')] } : undefined),
    happen: (driver) => driver.catchUp(),
  },
  {
    name: 'provider: fails',
    alike: 'provider: fails',
    tells(state) {
      const waiting = [...state.operations.values()].filter(({ operation, stage }) => stage === 'held' && operation !== 'refresh');
      const events = waiting.map(({ operation }) => on(operation === 'settle' ? 'settle.error' : `${operation}.unauthorized`));
      return waiting.length > 0 ? { events } : undefined;
    },
    happen: (driver) => driver.provider.fail(false),
  },
  {
    name: 'provider: fails for good',
    alike: 'provider: fails for good',
    tells(state) {
      const held = [...state.operations.values()].filter(({ stage }) => stage === 'held');
      // What the snapshot is asked for with is not the host's to judge: the next connection asks again.
      if (held.length !== 1 || held.some(({ operation }) => operation === 'refresh' || operation === 'settle')) return undefined;
      return { events: held.map(({ operation }) => on(`${operation}.unauthorized`, { verdict: 'final' })) };
    },
    happen(driver) {
      driver.verdict = 'final';
      return driver.provider.fail(false);
    },
  },
  {
    name: 'provider: renews before the end',
    alike: 'provider: renews before the end',
    tells(state) {
      const renews = expiring(state);
      return renews && { grants: true, renews, events: [on(`${renews}.renewed`)] };
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
      return renews && { grants: true, renews, gate: false, events: [on(`${renews}.renewed`)] };
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
    tells: (state) => afterRefresh(state, 'given'),
    happen: (driver) => driver.provider.renew(),
  },
  {
    name: 'provider: fails to give new credentials',
    alike: 'provider: fails to give new credentials',
    tells: (state) => afterRefresh(state, 'failed'),
    happen: (driver) => driver.provider.fail(true),
  },
  {
    name: 'provider: fails for good to give new credentials',
    alike: 'provider: fails for good to give new credentials',
    tells: (state) => afterRefresh(state, 'failed', 'final'),
    happen(driver) {
      driver.verdict = 'final';
      return driver.provider.fail(true);
    },
  },
  {
    name: 'provider: says that nobody is signed in',
    alike: 'provider: says that nobody is signed in',
    tells: (state) => afterRefresh(state, 'none'),
    happen: (driver) => driver.provider.giveNone(),
  },
];

const timers: readonly Stimulus[] = delayNames.map((name) => ({
  name: `time: ${name}`,
  alike: `time: ${name}`,
  tells({ charts }) {
    const oldest = charts.delays.find(({ type }) => type.startsWith(`xstate.after.${name}.`));
    return oldest && { events: [{ ...oldest }] };
  },
  happen: (driver) => driver.pass(name),
}));

/** All that a client may meet. */
export const stimuli: readonly Stimulus[] = [...host, ...streamStimuli, ...answerStimuli, ...timers];
