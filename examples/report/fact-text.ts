import type { ConnectionView } from 'taskbridge/client/node';
import { openSuspensions, stateOf, type Aggregate } from 'taskbridge/machines';
import { parseEventId, type Fact, type UnknownFact } from 'taskbridge/wire';
import type { Paint } from './screen.ts';

/** The three transports, as people call them. */
export const transportLabels = { ws: 'WebSocket', sse: 'server-sent events', poll: 'long polling' } as const;

const BAR = 32;

/** One line for one fact, beginning with its number in the log. */
export function factLine(fact: Fact | UnknownFact, paint: Paint): string {
  const n = String(parseEventId(fact.eventId)?.n ?? '?').padStart(5);
  return `${paint(n, 'dim')}  ${sentence(fact, paint)}`;
}

/** What a fact says, in one line. The demo's server writes no types but these, and checks every payload before it writes it. */
export function sentence(anyFact: Fact | UnknownFact, paint: Paint): string {
  const fact = anyFact as Fact;
  switch (fact.type) {
    case 'TASK_STARTED':
      return paint('▶ started', 'bold');
    case 'TASK_PROGRESS':
      return `· ${fact.payload.progress.toFixed(1)} % ${fact.payload.stage ?? ''}, ${fact.payload.message ?? ''}`;
    case 'TASK_MESSAGE':
      return fact.payload.level === 'warning' ? `${paint('!', 'yellow')} ${fact.payload.message}` : `· ${fact.payload.message}`;
    case 'TASK_SUSPENDED':
      return paint(`? asks: ${fact.payload.reasonCode} (${fact.payload.allowedActions.join(', ')})`, 'magenta');
    case 'TASK_ACTION_ACCEPTED':
      return paint(`✓ answer accepted: ${fact.payload.actionType}`, 'magenta');
    case 'TASK_COMPLETED':
      return paint('■ completed', 'green');
    case 'TASK_FAILED':
      return paint(`■ failed: ${fact.payload.code}: ${fact.payload.message}`, 'red');
    case 'TASK_CANCELLED':
      return paint(`■ cancelled: ${fact.payload.reason}`, 'red');
    default:
      return anyFact.type;
  }
}

/** The lines that change: the bar, and both charts. */
export function statusLines(task: Aggregate, connection: ConnectionView, paint: Paint): readonly string[] {
  const { progress, stage = '', message = '' } = task.task.context.progress ?? { progress: 0 };
  const full = Math.round((progress / 100) * BAR);
  const bar = `${paint('█'.repeat(full), 'green')}${paint('░'.repeat(BAR - full), 'dim')}`;
  const state = stateOf(task.task);
  const open = openSuspensions(task).length;
  return [
    paint('─'.repeat(72), 'dim'),
    ` ${bar} ${progress.toFixed(1).padStart(5)} %  ${stage} ${paint(message, 'dim')}`,
    ` task chart       ${paint(state, state === 'failed' ? 'red' : 'bold')}${open > 0 ? `, ${open} open question` : ''}`,
    ` transport chart  ${paint(connectionLine(connection), connection.state === 'live' ? 'green' : 'yellow')}`,
  ];
}

/** The state of the transport chart in words. */
export function connectionLine({ state, transport, try: tries, climbing }: ConnectionView): string {
  const name = transportLabels[transport];
  if (state === 'live') return `live on ${name}${climbing ? ', trying a higher transport' : ''}`;
  if (state === 'connecting' || state === 'waiting') return `${state}: ${name}, try ${tries}`;
  return state;
}

/** The question as a person reads it: what is asked, and the rows it is about. */
export function questionLines(task: Aggregate, paint: Paint): readonly string[] {
  const question = openSuspensions(task)[0];
  if (!question) return [];
  // The shape is the job's own: examples/report/job/asking.ts.
  const about = question.interaction as unknown as DuplicatesQuestion;
  const key = about.key.length > 0 ? about.key.join(', ') : 'every column';
  const samples = about.samples.flatMap(({ rows }) => [
    ...rows.map(({ line, cells }) => `     ${paint(`line ${String(line).padStart(5)}`, 'dim')}  ${cells.join(' | ')}`),
    '',
  ]);
  return ['', paint(`   ${about.groups} groups of rows (${about.rows} rows) agree in ${key}. For example:`, 'bold'), '', ...samples];
}

/** What the question about duplicates shows, as `job/asking.ts` writes it. */
export interface DuplicatesQuestion {
  readonly groups: number;
  readonly rows: number;
  readonly key: readonly string[];
  readonly columns: readonly string[];
  readonly samples: readonly { readonly rows: readonly { readonly line: number; readonly cells: readonly string[] }[] }[];
}
