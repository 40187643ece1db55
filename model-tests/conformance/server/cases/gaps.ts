import type { Case } from '../../suite/case.ts';
import { holds, present, same } from '../../suite/claim.ts';
import { act, ended, idsOf, endsLog, log, page, openQuestion, start } from '../calls.ts';
import { lives, stream, type Live } from '../streams.ts';
import type { ServerUnderTest } from '../server-under-test.ts';

const gaps = 'docs/protocol.md, Facts: Gaps';
const extensions = 'docs/protocol.md, Extensions: gap';
const QUERY = '?extensions=gap';

/** What a stream says of a gap when it is asked to. */
async function gapOver(kind: Live, server: ServerUnderTest, taskId: string, after: string) {
  const opened = stream(kind, server, taskId, { after, query: QUERY });
  await opened.until(endsLog, 'the terminal fact');
  opened.close();
  const control = opened.frames.find(({ type }) => type === 'GAP');
  const gap = (kind === 'ws' ? control : control?.payload) as { reason: string; firstEventId: string } | undefined;
  return { gap: gap && { reason: gap.reason, firstEventId: gap.firstEventId }, first: opened.facts[0]?.eventId };
}

/** What happens to cursors that history has left behind. */
export const gapCases: readonly Case<ServerUnderTest>[] = [
  {
    id: 'gap.trimmed-page',
    title: 'says in the page that facts after the cursor are gone, and goes on from the first that is kept',
    rule: gaps,
    better: true,
    failureClass: 'cursor-not-resumable',
    limitMs: 40_000,
    async run(server) {
      const { taskId, first, kept } = await trimmed(server);
      const { gap, events } = await page(server, taskId, `?afterEventId=${first}&maxEvents=1`);
      same([gap, idsOf(events)], [{ reason: 'trimmed', firstEventId: kept }, [kept]]);
    },
  },
  ...lives.map((kind): Case<ServerUnderTest> => ({
    id: `gap.trimmed-${kind}`,
    title: `says over ${kind} that facts after the cursor are gone, where it is asked to`,
    rule: extensions,
    better: true,
    failureClass: 'cursor-not-resumable',
    limitMs: 40_000,
    async run(server) {
      const { taskId, first, kept } = await trimmed(server);
      same(await gapOver(kind, server, taskId, first), { gap: { reason: 'trimmed', firstEventId: kept }, first: kept });
    },
  })),
  {
    id: 'gap.replaced-page',
    title: 'says in the page that a cursor is of another history, and goes on from the first fact',
    rule: gaps,
    better: true,
    failureClass: 'cursor-not-resumable',
    async run(server) {
      const { taskId, strangers, first } = await strange(server);
      for (const after of strangers) {
        const { gap, events } = await page(server, taskId, `?afterEventId=${after}&maxEvents=1`);
        same([gap, idsOf(events)], [{ reason: 'reset', firstEventId: first }, [first]], `the page after ${after}`);
      }
    },
  },
  ...lives.map((kind): Case<ServerUnderTest> => ({
    id: `gap.replaced-${kind}`,
    title: `says over ${kind} that a cursor is of another history, where it is asked to`,
    rule: extensions,
    better: true,
    failureClass: 'cursor-not-resumable',
    async run(server) {
      const { taskId, strangers, first } = await strange(server);
      for (const after of strangers)
        same(
          await gapOver(kind, server, taskId, after),
          { gap: { reason: 'reset', firstEventId: first }, first },
          `the stream after ${after}`,
        );
    },
  })),
  {
    id: 'gap.unasked',
    title: 'sends no frame of a gap to who did not ask for it',
    rule: extensions,
    failureClass: 'cursor-not-resumable',
    async run(server) {
      const taskId = await start(server, 'steps', { count: 3 });
      const whole = await ended(server, taskId);
      const after = present(whole[0], 'the first fact').eventId;
      for (const kind of lives) {
        const opened = stream(kind, server, taskId, { after });
        await opened.until(endsLog, 'the terminal fact');
        opened.close();
        holds(!opened.frames.some(({ type }) => type === 'GAP'), 'a GAP came');
        same(opened.facts, whole.slice(1));
      }
    },
  },
];

/** A task that has lost its first facts, what its first id was, and the first id that is kept. */
async function trimmed(server: ServerUnderTest): Promise<{ taskId: string; first: string; kept: string }> {
  const taskId = await start(server, 'ask', { steps: server.profile.trimmedFromFacts });
  const suspendId = await openQuestion(server, taskId);
  const first = present((await log(server, taskId))[0], 'the first fact').eventId;
  const opened = stream('ws', server, taskId);
  await act(server, taskId, { suspendId });
  await opened.until(endsLog, 'the end');
  opened.close();
  const kept = present((await page(server, taskId, '?maxEvents=1')).events[0], 'a fact').eventId;
  holds(kept !== first, `a log of ${server.profile.trimmedFromFacts} facts was to be trimmed, and begins at ${kept}`);
  return { taskId, first, kept };
}

/** A finished task, and cursors that it never gave out: another time for the second number, and a number beyond the end. */
async function strange(server: ServerUnderTest): Promise<{ taskId: string; strangers: string[]; first: string }> {
  const taskId = await start(server, 'steps', { count: 3 });
  const ids = idsOf(await ended(server, taskId));
  const [n = '', ms = ''] = present(ids[1], 'the second id').split('-');
  const [last = ''] = present(ids.at(-1), 'the last id').split('-');
  const strangers = [`${n}-${BigInt(ms) + 1n}`, `${BigInt(last) + 1n}-${ms}`];
  return { taskId, strangers, first: present(ids[0], 'the first id') };
}
