import type { Classification } from 'taskbridge/machines';
import type { WalkedEvent } from './chart-system.ts';
import { runningOf, type Change, type WalkState } from './walk-state.ts';
import { hearsGap, isOperationRunning, isUnanswered, mayFill, on, rebasing, type Stimulus } from './stimulus.ts';
import { bulkAfter, bulkEndAfter, denseText, endAfter, envelope, factAfter, gap, malformedTexts, moved, TASK } from './wire-texts.ts';

/** The level that a stream reaches by its confirmation, or by a fact. */
function leveled(state: WalkState, operation: 'ws' | 'sse', byFact: boolean): WalkedEvent[] {
  const stream = runningOf(state, operation);
  return stream && !stream.isLevel && (byFact || stream.begun === state.cursor) ? [on(`${operation}.level`)] : [];
}
/** Cursors of a log that begins again are not to be compared with those of before: a stream that is not yet level may seem so. */
const isSomeBehind = ({ operations }: WalkState): boolean =>
  [...operations.values()].some(({ operation, isLevel }) => (operation === 'ws' || operation === 'sse') && !isLevel);

/** One frame or event on a WebSocket or an event stream, which begins with it where nothing came before. */
function frames(
  operation: 'ws' | 'sse',
  name: string,
  texts: (state: WalkState) => readonly string[],
  tells: (
    state: WalkState,
    level: (byFact: boolean) => WalkedEvent[],
  ) => (Change & { readonly events: readonly WalkedEvent[] }) | undefined,
): Stimulus {
  return {
    name: `${operation}: ${name}`,
    alike: `${operation}: ${name.replace(/ \(\d\)$/, '')}`,
    tells(state) {
      if (!isOperationRunning(state, operation)) return undefined;
      const isFirst = operation === 'sse' && runningOf(state, operation)?.stage !== 'open';
      // The first bytes of a body are its confirmation.
      const first = isFirst ? [on('sse.confirmed'), ...leveled(state, 'sse', false)] : [];
      const told = tells(state, (byFact) => (first.length > 1 ? [] : leveled(state, operation, byFact)));
      return told && { grants: true, opens: operation, brings: operation, ...told, events: [...first, ...told.events] };
    },
    async happen(driver, state) {
      const request = await driver.request(operation);
      if (operation === 'ws') {
        await request.accept();
        request.send(...texts(state));
      } else
        request.write(
          texts(state)
            .map((text) => (text === '' ? ': ok\n\n' : `data: ${text}\n\n`))
            .join(''),
        );
    },
  };
}

const streamed = (['ws', 'sse'] as const).flatMap((operation): Stimulus[] => [
  frames(
    operation,
    'a fact',
    (state) => [factAfter(state)],
    (state, level) => ({
      ...moved(state),
      events: [...level(true), on(`${operation}.facts`)],
    }),
  ),
  frames(
    operation,
    'a fact beyond what may wait',
    (state) => [bulkAfter(state)],
    (state, level) => (mayFill(state) ? { ...moved(state), events: [...level(true), on('consumer.full')] } : undefined),
  ),
  frames(
    operation,
    'the terminal fact',
    (state) => [endAfter(state)],
    (state, level) => ({
      ...moved(state),
      events: [...level(true), on(`${operation}.facts`), on('log.ended')],
    }),
  ),
  frames(
    operation,
    'a terminal fact beyond what may wait',
    (state) => [bulkEndAfter(state)],
    (state, level) => (mayFill(state) ? { ...moved(state), events: [...level(true), on('consumer.full'), on('log.ended')] } : undefined),
  ),
  ...malformedTexts.map((text, index) =>
    frames(
      operation,
      `a malformed frame (${index + 1})`,
      () => [text],
      () => ({ events: [on(`${operation}.malformed`)] }),
    ),
  ),
  frames(
    operation,
    'three malformed frames',
    () => malformedTexts.slice(0, 3),
    () => ({
      events: [1, 2, 3].map(() => on(`${operation}.malformed`)),
    }),
  ),
  frames(
    operation,
    'a hole in ids that have none',
    (state) => [denseText(operation), factAfter(state), envelope(state.cursor + 3, 'TASK_PROGRESS', { progress: 2 })],
    (state, level) => ({
      ...moved(state),
      events: [...(operation === 'ws' ? [on('ws.confirmed')] : []), ...level(true), on(`${operation}.facts`), on(`${operation}.lost`)],
    }),
  ),
  ...(['trimmed', 'reset'] as const).map((reason): Stimulus => {
    const base = frames(
      operation,
      `a gap: ${reason}`,
      () => [gap(reason)],
      (state) => ({
        ...(reason === 'reset' && { cursor: 0 }),
        ...(reason === 'reset' && isSomeBehind(state) ? { ends: true } : rebasing(state)),
        events: [on('log.gap', { reason }), ...(operation === 'sse' ? [on('sse.alive')] : [])],
      }),
    );
    return {
      ...base,
      async happen(driver, state) {
        await base.happen(driver, state);
        if (hearsGap(base, state)) await driver.giveSnapshot(state.cursor);
      },
    };
  }),
]);

const streamLosses = (['ws', 'sse'] as const).map((operation): Stimulus => ({
  name: `${operation}: cut`,
  alike: `${operation}: cut`,
  tells: (state) =>
    isOperationRunning(state, operation) ? { grants: true, opens: operation, events: [on(`${operation}.lost`)] } : undefined,
  async happen(driver) {
    const request = await driver.request(operation);
    if (operation === 'ws') await request.accept();
    request.cut();
  },
}));

const webSocket: readonly Stimulus[] = [
  frames(
    'ws',
    'the confirmation',
    () => [JSON.stringify({ type: 'SUBSCRIPTION_CONFIRMED', taskId: TASK, live: true })],
    (_, level) => ({
      events: [on('ws.confirmed'), ...level(false)],
    }),
  ),
  frames(
    'ws',
    'a heartbeat',
    () => [JSON.stringify({ type: 'HEARTBEAT', taskId: TASK, live: true })],
    () => ({ events: [on('ws.alive')] }),
  ),
  {
    name: 'ws: a binary frame',
    alike: 'ws: a malformed frame',
    tells: (state) => (isOperationRunning(state, 'ws') ? { grants: true, opens: 'ws', events: [on('ws.malformed')] } : undefined),
    async happen(driver) {
      const request = await driver.request('ws');
      await request.accept();
      request.send(Buffer.from('binary'));
    },
  },
  {
    name: 'ws: cut before it opened',
    alike: 'ws: cut before it opened',
    tells: (state) => (isUnanswered(state, 'ws') ? { grants: true, events: [on('ws.unopened')] } : undefined),
    happen: async (driver) => (await driver.request('ws')).cut(),
  },
  ...[1000, 1001, 1003, 1007, 1009, 1011, 1012, 1013, 1014, 3000, 4000, 4399, 4500, undefined, 1008, 4400, 4401, 4404, 4499].map((code) =>
    closing(code),
  ),
  closing(1000, 'final'),
  closing(1008, 'retry'),
];

function closing(code: number | undefined, verdict?: Classification): Stimulus {
  return {
    name: `ws: closed with ${code ?? 'no code'}${verdict ? `, the host says ${verdict}` : ''}`,
    alike: `ws: closed ${verdict ?? (code === 1008 || (code && code >= 4400 && code <= 4499) ? 'for good' : 'cleanly')}`,
    tells: (state) =>
      isOperationRunning(state, 'ws')
        ? {
            grants: true,
            opens: 'ws',
            events: [
              on('ws.closed', { closeCode: code ?? 1005, ...(verdict && { verdict }), ...(!state.hasSpoken && { isUnknown: true }) }),
            ],
          }
        : undefined,
    async happen(driver) {
      driver.verdict = verdict;
      const request = await driver.request('ws');
      await request.accept();
      request.closeWith(code);
    },
  };
}

const eventStream: readonly Stimulus[] = [
  frames(
    'sse',
    'a comment',
    () => [''],
    () => ({ events: [on('sse.alive')] }),
  ),
  {
    name: 'sse: cut before an answer',
    alike: 'sse: cut before an answer',
    tells: (state) => (isUnanswered(state, 'sse') ? { grants: true, events: [on('sse.lost')] } : undefined),
    happen: async (driver) => (await driver.request('sse')).cut(),
  },
  {
    name: 'sse: no content',
    alike: 'sse: no content',
    tells: (state) => (isUnanswered(state, 'sse') ? { grants: true, events: [on('sse.ended')] } : undefined),
    happen: async (driver) => (await driver.request('sse')).answer(204, ''),
  },
  {
    name: 'sse: a page',
    alike: 'sse: refused, elsewhere',
    tells: (state) =>
      isUnanswered(state, 'sse')
        ? { grants: true, events: [on('sse.refused', { status: 200, ...(!state.hasSpoken && { isUnknown: true }) })] }
        : undefined,
    happen: async (driver) => (await driver.request('sse')).answer(200, '<html>', { 'content-type': 'text/html' }),
  },
  {
    name: 'sse: a proper end',
    alike: 'sse: a proper end',
    tells: (state) => (isOperationRunning(state, 'sse') ? { grants: true, opens: 'sse', events: [on('sse.ended')] } : undefined),
    happen: async (driver) => (await driver.request('sse')).end(),
  },
];

/** All that can come over a WebSocket or an event stream. */
export const streamStimuli: readonly Stimulus[] = [...webSocket, ...eventStream, ...streamed, ...streamLosses];
