import { beginSystem, takeInSystem, type ChartId, type ChartSystem, type WalkedEvent } from './chart-system.ts';

/** What the charts' actors ask of the world. */
export type Operation = 'ws' | 'sse' | 'poll' | 'settle' | 'refresh';

/** How far an operation has come: waits for the gate, for credentials, is under way, was taken by the server. */
export type OperationStage = 'gated' | 'held' | 'sent' | 'open';

/** What is known of one running operation. */
export interface OperationProgress {
  readonly operation: Operation;
  readonly stage: OperationStage;
  /** The cursor that it began with. */
  readonly begun: number;
  readonly isLevel: boolean;
  /** It fetched newer credentials than its own in time: nothing of it waits for that any more. */
  readonly isRenewed: boolean;
}

/** How many tries each transport has. */
export interface Budget {
  readonly ws: number;
  readonly sse: number;
  readonly poll: number;
}

/** Where a walk is: the charts by themselves, and what the world around them must then look like. */
export interface WalkState {
  readonly charts: ChartSystem;
  readonly isGateOpen: boolean;
  /** The number of the last fact that was delivered, or kept: 0 at the start of the log. */
  readonly cursor: number;
  /** What comes next would not be told from something else: a path ends here. */
  readonly isOver: boolean;
  /** The server has spoken the protocol. */
  readonly hasSpoken: boolean;
  /** Credentials end, so that newer ones are fetched in time. */
  readonly isExpiring: boolean;
  /** Newer credentials were given than those that were used last: a refresh has them at once. */
  readonly hasNewer: boolean;
  /** By the chart and id of the actor that runs it, the oldest first. */
  readonly operations: ReadonlyMap<string, OperationProgress>;
}

function operationOf(effect: string): Operation | undefined {
  const [chart, name] = effect.split('/');
  if (name === 'settle' || name === 'refresh') return name;
  return name === 'gate' ? undefined : (chart as 'ws' | 'sse' | 'poll');
}

/** Where the transport chart is; undefined once it has ended. */
export function regionsOf({ charts }: WalkState): { readonly delivering: string; readonly credentials: string } | undefined {
  const { value } = charts.transport;
  return typeof value === 'string' ? undefined : value.observing;
}

/** True while the charts run. */
export const isActive = ({ charts }: WalkState): boolean => charts.transport.status === 'active';

const texts = new WeakMap<ChartSystem, string>();

/** The values of all charts that run, as text. The credentials are a region that is walked by itself: no other looks at it. */
function textOf(charts: ChartSystem): string {
  const known = texts.get(charts);
  if (known !== undefined) return known;
  const { value } = charts.transport;
  const delivering = typeof value === 'string' ? value : value.observing.delivering;
  const below = Object.entries(charts.values).filter(([id]) => id !== 'transport');
  const sorted = below.sort(([one], [other]) => (one < other ? -1 : 1));
  const text = JSON.stringify({ transport: delivering, ...Object.fromEntries(sorted) }).slice(1);
  texts.set(charts, text);
  return text;
}

/** The gate, and the values of all charts that run, as text. */
export const valueOf = ({ charts, isGateOpen }: Pick<WalkState, 'charts' | 'isGateOpen'>): string =>
  `{"gate":"${isGateOpen ? 'open' : 'closed'}",${textOf(charts)}`;

/** The running operation of a kind, where there is one. */
export function runningOf({ operations }: WalkState, wanted: Operation): OperationProgress | undefined {
  return [...operations.values()].find(({ operation }) => operation === wanted);
}

/** What a walk begins with. */
export interface Beginning {
  readonly tries: Budget;
  /** Somebody has spoken the protocol at this address before, and credentials do not end: both are walked with fewer transports. */
  readonly isSettled?: boolean;
  /** The host has kept a checkpoint of the task, of its first fact. */
  readonly isStored?: boolean;
}

/** A walk's beginning: the gate is closed, and has said so. */
export function initialStateOf({ tries, isSettled = false, isStored = false }: Beginning): WalkState {
  const cursor = isStored ? 'stored' : 'trusted';
  const charts = beginSystem({ tries, strategy: 'progressive-sticky', refreshable: true, cursor });
  const state: WalkState = {
    charts,
    isGateOpen: false,
    cursor: isStored ? 1 : 0,
    isOver: false,
    hasNewer: false,
    hasSpoken: isSettled,
    isExpiring: !isSettled,
    operations: new Map(),
  };
  return after(state, repliesOf(charts.effects, false), {}).state;
}

/** What the gate says to those that have just asked it. */
function repliesOf(effects: readonly string[], isGateOpen: boolean): WalkedEvent[] {
  return effects
    .filter((id) => id.endsWith('/gate'))
    .map((id) => ({ to: id.split('/')[0] as ChartId, type: isGateOpen ? 'gate.opened' : 'gate.closed' }));
}

function operationsOf(
  effects: readonly string[],
  before: WalkState['operations'],
  { isGateOpen, cursor }: Pick<WalkState, 'isGateOpen' | 'cursor'>,
): WalkState['operations'] {
  const ids = [...[...before.keys()].filter((id) => effects.includes(id)), ...effects.filter((id) => !before.has(id))];
  const operations = new Map<string, OperationProgress>();
  for (const id of ids) {
    const operation = operationOf(id);
    if (operation === undefined) continue;
    const stage = operation === 'settle' || operation === 'refresh' ? 'gated' : 'held';
    const known = before.get(id) ?? { operation, stage, begun: cursor, isLevel: false, isRenewed: false };
    operations.set(id, known.stage === 'gated' && isGateOpen ? { ...known, stage: 'held' } : known);
  }
  return operations;
}

const changed: WalkedEvent = { to: 'transport', type: 'network.changed' };
const refreshed: WalkedEvent = { to: 'recovery', type: 'xstate.done.actor.refresh', output: { outcome: 'given' } };
const isRefreshed = ({ type, output }: WalkedEvent): boolean =>
  type === refreshed.type && (output as { outcome?: unknown } | undefined)?.outcome === 'given';

/** What a stimulus changes besides the charts. */
export interface Change {
  /** The gate opens or closes, before anything else. */
  readonly gate?: boolean;
  /** All credentials that were asked for are given, so every operation goes under way. */
  readonly grants?: boolean;
  /** This operation was taken by the server. */
  readonly opens?: Operation;
  /** The credentials of this operation were renewed. */
  readonly renews?: Operation;
  readonly cursor?: number;
  /** Whose bytes bring the events. */
  readonly brings?: Operation;
  /** No path goes on from there. */
  readonly ends?: boolean;
}

/** The moment after these events, and all that was told; those of a connection that is closed meanwhile are not said any more. */
export function after(
  state: WalkState,
  events: readonly WalkedEvent[],
  change: Change,
): { readonly state: WalkState; readonly told: WalkedEvent[]; readonly heard: string[] } {
  const { gate: isGateOpen = state.isGateOpen } = change;
  const operations = new Map<string, OperationProgress>();
  let { hasNewer, charts } = state;
  for (const [id, progress] of state.operations) {
    const { operation } = progress;
    const isLevel = progress.isLevel || events.some(({ to, type }) => to === operation && type === 'wire.level');
    const isSent = change.grants === true && progress.stage === 'held' && operation !== 'refresh';
    if (isSent && operation !== 'settle') hasNewer = false;
    const stage = change.opens === operation ? 'open' : isSent ? 'sent' : progress.stage;
    operations.set(id, { ...progress, stage, isLevel, isRenewed: progress.isRenewed || change.renews === operation });
  }
  const told: WalkedEvent[] = [];
  const heard: string[] = [];
  const hasOpened = isGateOpen && !state.isGateOpen;
  const asked = [...state.operations.values()].flatMap(({ operation, stage }): WalkedEvent[] =>
    change.grants === true && stage === 'held' && (operation === 'ws' || operation === 'sse')
      ? [{ to: operation, type: 'wire.asked' }]
      : [],
  );
  // What the network's change closes does not hear the gate any more.
  const asksGate = hasOpened ? takeInSystem(charts, changed).kept : new Set(charts.effects);
  const opening = [
    ...(hasOpened ? [changed] : []),
    ...(isGateOpen === state.isGateOpen
      ? []
      : repliesOf(
          [...asksGate].filter((id) => charts.effects.includes(id)),
          isGateOpen,
        )),
  ];
  const waiting = [...opening, ...asked, ...events];
  let { cursor = state.cursor } = change;
  for (let event = waiting.shift(); event && charts.transport.status === 'active'; event = waiting.shift()) {
    const { to, type } = event;
    // What was delivered together is told together.
    const isBrought = /^(log\.|consumer\.full)/.test(type) && !told.some(isDelivery);
    const bringer = type.startsWith('wire.') ? to : isBrought ? change.brings : undefined;
    // Nobody hears whoever was closed while he spoke.
    const isClosed = bringer !== undefined && ![...operations].some(([, { operation }]) => operation === bringer);
    if (isClosed && !told.some(isDelivery)) ({ cursor } = state);
    if (isClosed || !charts.snapshots.has(to)) continue;
    told.push(event);
    // What opens the gate is heard while it is still closed.
    const wasGateOpen = told.length <= opening.length ? state.isGateOpen : isGateOpen;
    heard.push(`${valueOf({ charts, isGateOpen: wasGateOpen })} · ${to} ${type}`);
    const { next, kept } = takeInSystem(charts, event);
    for (const id of operations.keys()) if (!kept.has(id)) operations.delete(id);
    // Its checkpoint was refused: the log is read from its start.
    if (charts.transport.context.cursor !== next.transport.context.cursor && next.transport.context.cursor === 'dropped') cursor = 0;
    charts = next;
    waiting.unshift(
      ...repliesOf(
        next.effects.filter((id) => !kept.has(id)),
        isGateOpen,
      ),
    );
  }
  hasNewer ||= change.renews !== undefined || told.some(isRefreshed);
  const next: WalkState = {
    charts,
    isGateOpen,
    cursor,
    hasNewer,
    hasSpoken: state.hasSpoken || told.some(isSpoken),
    isExpiring: state.isExpiring,
    isOver: change.ends === true,
    operations: operationsOf(charts.effects, operations, { isGateOpen, cursor }),
  };
  if (!hasNewer || runningOf(next, 'refresh')?.stage !== 'held') return { state: next, told, heard };
  const further = after(next, [refreshed], change.ends === true ? { ends: true } : {});
  return { state: further.state, told: [...told, ...further.told], heard: [...heard, ...further.heard] };
}

/** True for what says that facts were delivered, or that others are told instead of them. */
const isDelivery = ({ type }: WalkedEvent): boolean => /^(wire\.facts|consumer\.full|log\.)/.test(type);

/** True for what nobody tells who does not speak the protocol. */
function isSpoken({ to, type, ending, output }: WalkedEvent): boolean {
  if (/^(wire\.(facts|page|empty)|log\.|consumer\.full)/.test(type)) return true;
  // The first bytes of a stream may be anybody's.
  if (to === 'ws' && (type === 'wire.confirmed' || type === 'wire.alive')) return true;
  // What the host's own provider says is nobody's word.
  if (type === refreshed.type) return false;
  const { code } = (ending ?? output ?? {}) as { readonly code?: string };
  const { outcome = 'refused' } = (output ?? {}) as { readonly outcome?: string };
  return code !== undefined || outcome !== 'refused';
}

/** What makes two moments the same to everything that may follow. */
export function walkStateKey({ charts, operations, cursor, isOver, hasNewer, hasSpoken, isExpiring, isGateOpen }: WalkState): string {
  const progress = [...operations.values()].map(({ operation, stage, begun, isLevel, isRenewed }) => {
    const isStream = operation === 'ws' || operation === 'sse';
    return `${operation} ${stage} ${isStream ? `${isLevel ? 'level' : begun === cursor} ${isRenewed}` : ''}`;
  });
  return `${charts.key} ${progress.join()} ${isOver} ${hasNewer} ${hasSpoken} ${isExpiring} ${isGateOpen}`;
}
