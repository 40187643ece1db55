import type { Case } from '../../suite/case.ts';
import { holds, includes, present, same } from '../../suite/claim.ts';
import { act, call, ended, openQuestion, refused, someId, start, typesOf, type Page, type WireFact } from '../calls.ts';
import { stream, webSocket, type Frame, type Stream } from '../streams.ts';
import type { ServerUnderTest } from '../server-under-test.ts';

const rule = 'docs/protocol.md, Text of open parts';
const BEFORE = ['Once ', 'upon ', 'a büro 🙂 '];
const BEHIND = 'there was an end.';
const TEXT = BEFORE.join('');
/** More than the fact that closes a part may carry. */
const LONG = 'words and words '.repeat(3000);

/** Text of a part, as it came. */
interface PartOfFrame extends Frame {
  readonly part: number;
  readonly at: number;
  readonly to: number;
  readonly text: string;
}
type PartPage = Page & { readonly parts?: readonly PartOfFrame[] };

const asked = new WeakMap<ServerUnderTest, Promise<string | undefined>>();

/** Says what is missing where the server shows no text of parts: it is asked once. */
function withoutParts(server: ServerUnderTest): Promise<string | undefined> {
  const ask = async (): Promise<string | undefined> => {
    const json = { clientRequestId: someId(), taskType: 'conformance.write', input: { pieces: [], rest: '' } };
    const { status, body } = await call(server, 'POST', '/tasks', { json });
    const page = status === 201 && (await call<PartPage>(server, 'GET', `/tasks/${String(body['taskId'])}/events?extensions=parts`));
    return page && page.body.parts ? undefined : 'the server does not grant parts, or its work writes none (conformance.write).';
  };
  const answer = asked.get(server) ?? ask();
  asked.set(server, answer);
  return answer;
}

const about = (one: Omit<Case<ServerUnderTest>, 'rule' | 'better' | 'missing'>): Case<ServerUnderTest> => ({
  ...one,
  rule,
  better: true,
  missing: withoutParts,
});

const isPart = (frame: { readonly type: string }): frame is PartOfFrame => frame.type === 'PART';
const textOf = (frames: readonly Frame[]): string =>
  frames
    .filter(isPart)
    .map(({ text }) => text)
    .join('');

/** Follows the bytes of the only part that a stream shows: without a hole, in whole characters. */
function follows(frames: readonly Frame[], from = 0): void {
  let at = from;
  for (const frame of frames.filter(isPart)) {
    same([frame.at, frame.to], [at, at + Buffer.byteLength(frame.text)], 'the places of a frame');
    at = frame.to;
  }
}

/** A task that has written what comes before its question. */
async function written(server: ServerUnderTest): Promise<{ readonly taskId: string; readonly suspendId: string }> {
  const taskId = await start(server, 'write', { pieces: BEFORE, rest: BEHIND });
  return { taskId, suspendId: await openQuestion(server, taskId) };
}

const shown = (opened: Stream, text: string): Promise<Frame> =>
  opened.until((frame) => isPart(frame) && textOf(opened.frames).endsWith(text), `"${text}"`);

function inOrder(frames: readonly Frame[]): void {
  const at = (type: string): number => frames.findIndex((frame) => frame.type === type);
  holds(at('PART') > at('TASK_PART_OPENED'), 'text was to come behind the fact that opens its part');
  const last = frames.findLastIndex(isPart);
  holds(last < at('TASK_PART_CLOSED'), 'text was to come before the fact that closes its part');
}

const live = (kind: 'ws' | 'sse'): readonly Case<ServerUnderTest>[] => [
  about({
    id: `parts.${kind}`,
    title: `shows over ${kind === 'ws' ? 'a WebSocket' : 'an event stream'} the text of an open part, behind the fact that opens it and before the one that closes it`,
    failureClass: 'seam',
    async run(server) {
      const { taskId, suspendId } = await written(server);
      const opened = stream(kind, server, taskId, { query: '?extensions=parts' });
      await shown(opened, TEXT.slice(-4));
      const first = present(opened.frames.find(isPart), 'a frame with text');
      includes(first, { part: 2, at: 0, snapshot: true, name: 'answer', kind: 'text' });
      same(first['eventId'], opened.facts[1]?.eventId, 'the fact that opened it');
      await act(server, taskId, { suspendId });
      await opened.end;
      follows(opened.frames);
      const closed = present(
        opened.facts.find(({ type }) => type === 'TASK_PART_CLOSED'),
        'the fact that closes it',
      ).payload;
      same([closed['outcome'], closed['bytes'], closed['text']], ['DONE', Buffer.byteLength(TEXT + BEHIND), TEXT + BEHIND]);
      holds((TEXT + BEHIND).startsWith(textOf(opened.frames)), 'the text was to be the beginning of the whole');
      inOrder(opened.frames);
    },
  }),
];

/** What the text of parts means. */
export const writingParts: readonly Case<ServerUnderTest>[] = [
  ...live('ws'),
  ...live('sse'),
  about({
    id: 'parts.cursor',
    title: 'goes on in a part where the client was, by its cursor, and gives a cursor of another history all of it, as a reset',
    failureClass: 'duplicates-on-replay',
    async run(server) {
      const { taskId } = await written(server);
      const first = stream('sse', server, taskId, { query: '?extensions=parts' });
      await shown(first, TEXT.slice(-4));
      const { eventId, epoch } = present(first.frames.find(isPart), 'a frame with text') as { eventId?: string; epoch?: unknown };
      const after = present(first.facts.at(-1)?.eventId, 'a fact');
      first.close();
      for (const [parts, at, text] of [
        [`${eventId}.5.${String(epoch)}`, 5, TEXT.slice(5)],
        [`${eventId}.5.of-another-history`, 0, TEXT],
      ] as const) {
        const again = webSocket(server, [{ action: 'subscribe', taskId, lastEventId: after, parts }], { query: '?extensions=parts' });
        await shown(again, TEXT.slice(-4));
        same(again.facts, [], 'the facts that came again');
        follows(again.frames, at);
        same(textOf(again.frames), text);
        same(again.frames.find(isPart)?.['reset'], at === 0 ? true : undefined, 'reset');
        again.close();
      }
    },
  }),
  about({
    id: 'parts.poll',
    title: 'has the text of an open part in a page, behind its facts, and waits for more',
    async run(server) {
      const { taskId, suspendId } = await written(server);
      const path = `/tasks/${taskId}/events?extensions=parts`;
      const { body } = await call<PartPage>(server, 'GET', path);
      follows(body.parts ?? []);
      same(textOf(body.parts ?? []), TEXT);
      const { eventId, epoch } = present(body.parts?.[0], 'a frame') as { eventId?: string; epoch?: unknown };
      const parts = `${eventId}.${body.parts?.at(-1)?.to}.${String(epoch)}`;
      const waiting = call<PartPage>(server, 'GET', `${path}&afterEventId=${body.nextAfterEventId}&parts=${parts}&waitTimeoutMs=10000`);
      await act(server, taskId, { suspendId });
      const next = (await waiting).body;
      holds(next.events.length + (next.parts?.length ?? 0) > 0, 'the page was to have what came');
      await ended(server, taskId);
    },
  }),
  about({
    id: 'parts.long',
    title: 'shows all of a part that is too long for a fact before the fact that closes it, over each transport',
    async run(server) {
      const taskId = await start(server, 'write', { pieces: [LONG], rest: '' });
      await act(server, taskId, { suspendId: await openQuestion(server, taskId) });
      await ended(server, taskId);
      for (const kind of ['ws', 'sse'] as const) {
        const opened = stream(kind, server, taskId, { query: '?extensions=parts' });
        await opened.end;
        follows(opened.frames);
        same(textOf(opened.frames) === LONG, true, 'that the text is whole');
        inOrder(opened.frames);
        same(opened.facts.find(({ type }) => type === 'TASK_PART_CLOSED')?.payload, { part: 2, bytes: LONG.length, outcome: 'DONE' });
      }
      await polledWhole(server, taskId);
    },
  }),
  about({
    id: 'parts.unasked',
    title: 'shows the text of parts to nobody who did not ask for it',
    async run(server) {
      const { taskId, suspendId } = await written(server);
      const opened = [stream('ws', server, taskId), stream('sse', server, taskId, { query: '?extensions=gap' })];
      await act(server, taskId, { suspendId });
      for (const one of opened) {
        await one.end;
        same(one.frames.filter(isPart), []);
        holds(typesOf(one.facts).includes('PART_CLOSED'), 'the facts were to come as ever');
      }
      const { body } = await call<PartPage>(server, 'GET', `/tasks/${taskId}/events`);
      same('parts' in body, false, 'that a page has parts');
    },
  }),
  about({
    id: 'parts.read',
    title: 'lists the parts of a task, and gives the text of one from a place on, to who may see the task',
    async run(server) {
      const { taskId, suspendId } = await written(server);
      const { parts } = (await call<{ parts?: readonly object[] }>(server, 'GET', `/tasks/${taskId}`)).body;
      includes(parts?.[0], { part: 2, name: 'answer', kind: 'text', bytes: Buffer.byteLength(TEXT), open: true, text: TEXT });
      const path = `/tasks/${taskId}/parts/2`;
      includes((await call(server, 'GET', `${path}?offset=5`)).body, { at: 5, text: TEXT.slice(5), open: true });
      await act(server, taskId, { suspendId });
      await ended(server, taskId);
      includes((await call(server, 'GET', path)).body, { open: false, outcome: 'DONE', at: 0, text: TEXT + BEHIND });
      refused(await call(server, 'GET', `/tasks/${taskId}/parts/1`), 404, 'TASK_NOT_FOUND');
      refused(await call(server, 'GET', path, { as: 'two' }), 404, 'TASK_NOT_FOUND');
      refused(await call(server, 'GET', `${path}?offset=100000`), 422, 'REQUEST_VALIDATION_ERROR');
      // Within the ü.
      refused(await call(server, 'GET', `${path}?offset=14`), 422, 'REQUEST_VALIDATION_ERROR');
    },
  }),
];

/** Reads a log and its text by polls: in each page the facts come first. */
async function polledWhole(server: ServerUnderTest, taskId: string): Promise<void> {
  const frames: Frame[] = [];
  const facts: WireFact[] = [];
  let cursor = '';
  for (let pages = 0, isOver = false; !isOver; pages++) {
    holds(pages < 20, 'the log was to end');
    const { body } = await call<PartPage>(
      server,
      'GET',
      `/tasks/${taskId}/events?extensions=parts&afterEventId=${facts.at(-1)?.eventId ?? ''}&parts=${cursor}`,
    );
    facts.push(...body.events);
    frames.push(...body.events.map((fact): Frame => ({ ...fact })), ...(body.parts ?? []));
    const { eventId, epoch } = (body.parts?.[0] ?? {}) as { eventId?: string; epoch?: unknown };
    if (eventId !== undefined) cursor = `${eventId}.${body.parts?.at(-1)?.to}.${String(epoch)}`;
    if (typesOf(body.events).includes('PART_CLOSED')) cursor = '';
    isOver = body.terminal === true;
  }
  follows(frames);
  same(textOf(frames) === LONG, true, 'that the text is whole');
  inOrder(frames);
}
