import type { Classification } from 'taskbridge/machines';
import type { WalkedEvent } from '../transport-alphabet.ts';
import { runningOf, type Change, type Moment } from './moment.ts';
import { isGateOpen, isRunning, isUnanswered, mayFill, on, rebasing, type Stimulus } from './stimulus.ts';
import { bulkAfter, bulkEndAfter, denseText, endAfter, envelope, factAfter, gap, malformedTexts, moved, TASK } from './wire-texts.ts';

/** The level that a stream reaches by its confirmation, or by a fact. */
function leveled(moment: Moment, errand: 'ws' | 'sse', byFact: boolean): WalkedEvent[] {
  const stream = runningOf(moment, errand);
  return stream && !stream.isLevel && (byFact || stream.begun === moment.cursor) ? [on(`${errand}.level`)] : [];
}
/** One frame or event on a WebSocket or an event stream, which begins with it where nothing came before. */
function frames(
  errand: 'ws' | 'sse',
  name: string,
  texts: (moment: Moment) => readonly string[],
  tells: (moment: Moment, level: (byFact: boolean) => WalkedEvent[]) => (Change & { readonly events: readonly WalkedEvent[] }) | undefined,
): Stimulus {
  return {
    name: `${errand}: ${name}`,
    alike: `${errand}: ${name.replace(/ \(\d\)$/, '')}`,
    tells(moment) {
      if (!isRunning(moment, errand)) return undefined;
      const isFirst = errand === 'sse' && runningOf(moment, errand)?.stage !== 'open';
      // The first bytes of a body are its confirmation.
      const first = isFirst ? [on('sse.confirmed'), ...leveled(moment, 'sse', false)] : [];
      const told = tells(moment, (byFact) => (first.length > 1 ? [] : leveled(moment, errand, byFact)));
      return told && { grants: true, opens: errand, ...told, events: [...first, ...told.events] };
    },
    async happen(puppet, moment) {
      const request = await puppet.request(errand);
      if (errand === 'ws') {
        await request.accept();
        request.send(...texts(moment));
      } else
        request.write(
          texts(moment)
            .map((text) => (text === '' ? ': ok\n\n' : `data: ${text}\n\n`))
            .join(''),
        );
    },
  };
}

const streamed = (['ws', 'sse'] as const).flatMap((errand): Stimulus[] => [
  frames(
    errand,
    'a fact',
    (moment) => [factAfter(moment)],
    (moment, level) => ({
      ...moved(moment),
      events: [...level(true), on(`${errand}.facts`)],
    }),
  ),
  frames(
    errand,
    'a fact beyond what may wait',
    (moment) => [bulkAfter(moment)],
    (moment, level) => (mayFill(moment) ? { ...moved(moment), events: [...level(true), on('consumer.full')] } : undefined),
  ),
  frames(
    errand,
    'the terminal fact',
    (moment) => [endAfter(moment)],
    (moment, level) => ({
      ...moved(moment),
      events: [...level(true), on(`${errand}.facts`), on('log.ended')],
    }),
  ),
  frames(
    errand,
    'a terminal fact beyond what may wait',
    (moment) => [bulkEndAfter(moment)],
    (moment, level) => (mayFill(moment) ? { ...moved(moment), events: [...level(true), on('consumer.full'), on('log.ended')] } : undefined),
  ),
  ...malformedTexts.map((text, index) =>
    frames(
      errand,
      `a malformed frame (${index + 1})`,
      () => [text],
      () => ({ events: [on(`${errand}.malformed`)] }),
    ),
  ),
  frames(
    errand,
    'three malformed frames',
    () => malformedTexts.slice(0, 3),
    () => ({
      events: [1, 2, 3].map(() => on(`${errand}.malformed`)),
    }),
  ),
  frames(
    errand,
    'a hole in ids that have none',
    (moment) => [denseText(errand), factAfter(moment), envelope(moment.cursor + 3, 'TASK_PROGRESS', { progress: 2 })],
    (moment, level) => ({
      ...moved(moment),
      events: [...(errand === 'ws' ? [on('ws.confirmed')] : []), ...level(true), on(`${errand}.facts`), on(`${errand}.lost`)],
    }),
  ),
  ...(['trimmed', 'reset'] as const).map((reason): Stimulus => {
    const base = frames(
      errand,
      `a gap: ${reason}`,
      () => [gap(reason)],
      (moment) => ({
        ...(reason === 'reset' && { cursor: 0 }),
        ...rebasing(moment),
        events: [on('log.gap', { reason }), ...(errand === 'sse' ? [on('sse.alive')] : [])],
      }),
    );
    return {
      ...base,
      async happen(puppet, moment) {
        await base.happen(puppet, moment);
        if (isGateOpen(moment)) await puppet.giveSnapshot(moment.cursor);
      },
    };
  }),
]);

const streamLosses = (['ws', 'sse'] as const).map((errand): Stimulus => ({
  name: `${errand}: cut`,
  alike: `${errand}: cut`,
  tells: (moment) => (isRunning(moment, errand) ? { grants: true, opens: errand, events: [on(`${errand}.lost`)] } : undefined),
  async happen(puppet) {
    const request = await puppet.request(errand);
    if (errand === 'ws') await request.accept();
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
    alike: 'ws: a binary frame',
    tells: (moment) => (isRunning(moment, 'ws') ? { grants: true, opens: 'ws', events: [on('ws.lost')] } : undefined),
    async happen(puppet) {
      const request = await puppet.request('ws');
      await request.accept();
      request.send(Buffer.from('binary'));
    },
  },
  {
    name: 'ws: cut before it opened',
    alike: 'ws: cut before it opened',
    tells: (moment) => (isUnanswered(moment, 'ws') ? { grants: true, events: [on('ws.unopened')] } : undefined),
    happen: async (puppet) => (await puppet.request('ws')).cut(),
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
    tells: (moment) =>
      isRunning(moment, 'ws')
        ? { grants: true, opens: 'ws', events: [on('ws.closed', { closeCode: code ?? 1005, ...(verdict && { verdict }) })] }
        : undefined,
    async happen(puppet) {
      puppet.verdict = verdict;
      const request = await puppet.request('ws');
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
    tells: (moment) => (isUnanswered(moment, 'sse') ? { grants: true, events: [on('sse.lost')] } : undefined),
    happen: async (puppet) => (await puppet.request('sse')).cut(),
  },
  {
    name: 'sse: no content',
    alike: 'sse: no content',
    tells: (moment) => (isUnanswered(moment, 'sse') ? { grants: true, events: [on('sse.ended')] } : undefined),
    happen: async (puppet) => (await puppet.request('sse')).answer(204, ''),
  },
  {
    name: 'sse: a proper end',
    alike: 'sse: a proper end',
    tells: (moment) => (isRunning(moment, 'sse') ? { grants: true, opens: 'sse', events: [on('sse.ended')] } : undefined),
    happen: async (puppet) => (await puppet.request('sse')).end(),
  },
];

/** All that can come over a WebSocket or an event stream. */
export const streamStimuli: readonly Stimulus[] = [...webSocket, ...eventStream, ...streamed, ...streamLosses];
