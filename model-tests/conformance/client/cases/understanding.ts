import type { Case } from '../../suite/case.ts';
import { holds, same } from '../../suite/claim.ts';
import type { ClientDriver } from '../driver.ts';
import { adjusting, all, every, fact, facts, id, numberOf, over, pausesOf, withScenario, TASK } from '../scenario.ts';
import type { ServerScript, Visit } from '../scripted-server.ts';

const rule = 'docs/protocol.md, Clients';
const sse = 'docs/protocol.md, Server-sent events';
const poll = 'docs/protocol.md, Requests: Poll';

const envelopeOf = (visit: Visit, from: number, to: number, more: object): string =>
  JSON.stringify({ taskId: TASK, events: facts(from, to, 6), nextAfterEventId: to < from ? visit.after : id(to), ...more });

/** A first visit that goes wrong after some facts, then a good one. Proves that six facts are delivered, by a visit from the cursor. */
function oneBadVisit(
  driver: ClientDriver,
  kind: 'ws' | 'sse' | 'poll',
  good: number,
  spoil: (visit: Visit) => void,
  options = {},
): Promise<void> {
  const script: ServerScript = {
    serve(visit) {
      const from = numberOf(visit.after) + 1;
      if (from === 1) {
        visit.send(...facts(1, good, 6));
        if (kind !== 'poll') spoil(visit);
      } else if (kind === 'poll' && visit.number === 2) spoil(visit);
      else visit.send(...facts(from, 6));
    },
  };
  return withScenario(
    driver,
    [kind],
    script,
    async ({ server, observe }) => {
      same(await all(observe()), facts(1, 6));
      same(server.visits.at(-1)?.after, id(good), 'the cursor of the last visit');
    },
    options,
  );
}

/** What a client makes of what comes. */
export const understanding: readonly Case<ClientDriver>[] = [
  ...over(['ws', 'sse'], (kind) => ({
    id: 'client.malformed',
    title: 'takes three unreadable frames in a row for a loss, and comes back from its cursor',
    rule: `${rule}: three unreadable frames in a row`,
    run: (driver) =>
      oneBadVisit(driver, kind, 2, (visit) => {
        for (const text of ['{"no":', '[]', '{"type":7}']) visit.noise(text);
      }),
  })),
  ...over(['ws', 'sse'], (kind) => ({
    id: 'client.frame-too-large',
    title: 'takes a frame that is larger than it will take for a loss, and comes back from its cursor',
    rule: `${rule}: a frame above its limit`,
    missing: adjusting('frameBytesMax'),
    run: (driver) =>
      oneBadVisit(driver, kind, 2, (visit) => visit.send(fact(3, 'TASK_MESSAGE', { message: 'x'.repeat(1_000_000) })), {
        frameBytesMax: 100_000,
      }),
  })),
  ...over(['ws', 'sse'], (kind) => ({
    id: 'client.hole',
    title: 'takes a hole in ids that are dense for a loss: it delivers nothing after it, and comes back from before',
    rule: `${rule}: a hole in the ids`,
    better: true,
    failureClass: 'seam',
    run: (driver) => oneBadVisit(driver, kind, 2, (visit) => visit.send(fact(5))),
  })),
  ...over(every, (kind) => ({
    id: 'client.foreign-task',
    title: 'does not deliver facts of another task',
    rule: `${rule}: frames of another task`,
    run(driver) {
      const stranger = { ...fact(2), taskId: 'f'.repeat(32) };
      const script: ServerScript = {
        serve(visit) {
          const [first, ...others] = facts(numberOf(visit.after) + 1, 4);
          if (first) visit.send(first, stranger, ...others);
        },
      };
      return withScenario(driver, [kind], script, async ({ observe }) => same(await all(observe()), facts(1, 4)));
    },
  })),
  ...over(['sse'], (kind) => ({
    id: 'client.form',
    title: 'reads an event stream in any form that its standard allows, in pieces that end anywhere',
    rule: `${sse}; text/event-stream of the HTML standard`,
    async run(driver) {
      const told = { ...fact(2), type: 'TASK_MESSAGE', payload: { message: 'Ü 三 💡' } };
      const [one, two, three] = [fact(1), told, ...facts(3, 3)].map((each) => JSON.stringify(each));
      const text =
        `: a comment\r\n\r\nretry: 60000\r\nid: ${id(1)}\r\nevent: message\r\ndata: ${one}\r\n\r\n` +
        `:\n\ndata:${two}\nid:${id(2)}\n\nid: ${id(3)}\nunheard: of\ndata: ${three}\n\n`;
      const bytes = Buffer.from(text);
      const script: ServerScript = {
        serve(visit) {
          let at = 0;
          const write = (): void => {
            // Seven bytes end within characters, fields and line ends.
            visit.raw(bytes.subarray(at, (at += 7)));
            if (at < bytes.length) setImmediate(write);
          };
          write();
        },
      };
      await withScenario(driver, [kind], script, async ({ server, observe }) => {
        same(await all(observe()), [fact(1), told, ...facts(3, 3)]);
        same(server.visits.length, 1, 'the number of visits');
      });
    },
  })),
  ...over(['poll'], (kind) => ({
    id: 'client.pages',
    title: 'asks for the next page from the last fact of the one before, and without a rest where there is more',
    rule: poll,
    run(driver) {
      const script: ServerScript = {
        serve(visit) {
          const from = numberOf(visit.after) + 1;
          visit.raw(envelopeOf(visit, from, from + 1, { hasMore: from < 5, terminal: from >= 5 }));
        },
      };
      return withScenario(driver, [kind], script, async ({ server, observe }) => {
        same(await all(observe()), facts(1, 6));
        same(
          server.visits.map(({ after }) => numberOf(after)),
          [0, 2, 4],
          'the cursors of the pages',
        );
      });
    },
  })),
  ...over(['poll'], (kind) => ({
    id: 'client.empty-page',
    title: 'rests after an empty page, and keeps its cursor whatever the page says',
    rule: `${rule}: an empty page`,
    better: true,
    run(driver) {
      const script: ServerScript = {
        serve(visit) {
          if (visit.number === 1) return visit.raw(envelopeOf(visit, 1, 3, { hasMore: false }));
          if (visit.number > 3) return visit.raw(envelopeOf(visit, 4, 6, { hasMore: false, terminal: true }));
          visit.raw(JSON.stringify({ taskId: TASK, events: [], nextAfterEventId: id(9), hasMore: false }));
        },
      };
      return withScenario(driver, [kind], script, async ({ server, observe }) => {
        same(await all(observe()), facts(1, 6));
        same(
          server.visits.slice(1).map(({ after }) => after),
          [id(3), id(3), id(3)],
          'the cursors after the first page',
        );
        const [, ...pauses] = pausesOf(server);
        holds(
          pauses.every((ms) => ms >= driver.restMs * 0.9),
          `it was to rest ${driver.restMs} ms, and rested ${pauses.join(', ')} ms`,
        );
      });
    },
  })),
  ...over(['poll'], (kind) => ({
    id: 'client.terminal-page',
    title: 'ends where a page says that nothing can follow it',
    rule: `${poll}: terminal`,
    better: true,
    failureClass: 'end-or-cut',
    run(driver) {
      const script: ServerScript = { serve: (visit) => visit.raw(envelopeOf(visit, 1, 0, { hasMore: false, terminal: true })) };
      return withScenario(driver, [kind], script, async ({ server, observe }) => {
        same(await all(observe(id(6))), [], 'what was delivered');
        same(server.visits.length, 1, 'the number of visits');
      });
    },
  })),
  ...(
    [
      ['torn', 'that is torn', '{"taskId":"0011","events":[{"type":'],
      ['strange', 'of a proxy', '<html>Log in to this network</html>'],
    ] as const
  ).flatMap(([name, what, body]) =>
    over(['poll'], (kind) => ({
      id: `client.page-${name}`,
      title: `takes a page ${what} for a loss, and asks again from its cursor`,
      rule: `${rule}: a torn or unreadable page`,
      run: (driver) => oneBadVisit(driver, kind, 2, (visit) => visit.raw(body)),
    })),
  ),
];
