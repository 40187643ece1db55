import type { Case } from '../../suite/case.ts';
import { includes, present, same } from '../../suite/claim.ts';
import { act, ended, idsOf, log, openQuestion, start } from '../calls.ts';
import { CONFIRMED, ENDED, endedBy, sharedSocket, withoutMultiplex, type SharedSocket } from '../shared-socket.ts';
import type { ServerUnderTest } from '../server-under-test.ts';

const rule = 'docs/protocol.md, Many tasks over one socket';
const UNKNOWN = '0123456789abcdef0123456789abcdef';

/** A case about a socket that shows many tasks, for servers that have such. */
function about(
  one: Omit<Case<ServerUnderTest>, 'rule' | 'better' | 'missing' | 'run'> & {
    readonly section?: string;
    readonly missing?: (server: ServerUnderTest) => string | undefined;
    run(server: ServerUnderTest, socket: SharedSocket): Promise<void>;
  },
): Case<ServerUnderTest> {
  const { section, run, missing, ...rest } = one;
  return {
    ...rest,
    rule: section === undefined ? rule : `${rule}: ${section}`,
    better: true,
    missing: async (server) => (await withoutMultiplex(server)) ?? missing?.(server),
    async run(server) {
      const socket = await sharedSocket(server);
      // However long a case prepares itself, the socket is not closed for having no subscription.
      socket.subscribe(await start(server, 'wait'));
      try {
        await run(server, socket);
      } finally {
        socket.close();
      }
    },
  };
}

/** What a socket with many tasks means. */
export const multiplexing: readonly Case<ServerUnderTest>[] = [
  about({
    id: 'multiplex.granted',
    title: 'says that it is granted before anything is asked, once, and again in each confirmation',
    async run(server, socket) {
      const extensions = ['gap', 'multiplex'];
      same(socket.frames[0], { type: 'EXTENSIONS_GRANTED', extensions });
      for (const taskId of [await start(server, 'wait'), await start(server, 'wait')]) {
        socket.subscribe(taskId);
        const confirmed = await socket.until((frame) => frame.type === CONFIRMED && frame.taskId === taskId, 'the confirmation');
        same(confirmed, { type: CONFIRMED, taskId, replayStartedAfterEventId: null, live: true, extensions });
      }
      same(socket.frames.filter(({ type }) => type === 'EXTENSIONS_GRANTED').length, 1, 'the number of grants');
    },
  }),
  about({
    id: 'multiplex.many',
    title: 'brings ten tasks whole and in order among each other, each with one end by 1000 after its terminal fact, and stays open',
    failureClass: 'seam',
    async run(server, socket) {
      const tasks = await Promise.all(Array.from({ length: 10 }, () => start(server, 'ask', { steps: 20 })));
      for (const taskId of tasks) socket.subscribe(taskId);
      for (const taskId of tasks) await act(server, taskId, { suspendId: await openQuestion(server, taskId) });
      for (const taskId of tasks) same(await socket.ends(taskId), [1000], `the ends of ${taskId}`);
      for (const taskId of tasks)
        same(socket.shortOf(taskId), [CONFIRMED, ...idsOf(await log(server, taskId)), endedBy(1000)], `what came for ${taskId}`);
      await isOpen(server, socket);
    },
  }),
  about({
    id: 'multiplex.refused',
    title: 'refuses a task that is unknown or of somebody else, alike, by an end with 1008 without a confirmation, and leaves the others',
    async run(server, socket) {
      const [mine, foreign] = [await start(server, 'wait'), await start(server, 'wait', {}, { as: 'two' })];
      for (const taskId of [mine, UNKNOWN, foreign]) socket.subscribe(taskId);
      const refusals = [];
      for (const taskId of [UNKNOWN, foreign]) {
        same(await socket.ends(taskId), [1008], 'how a refused subscription ends');
        same(socket.of(taskId).length, 1, 'the number of frames of a refused subscription');
        refusals.push({ ...socket.of(taskId)[0], taskId: 'THE TASK' });
      }
      same(refusals[0], refusals[1], 'the refusals of an unknown and a foreign task');
      same(Object.keys(present(refusals[0], 'a refusal')).sort(), ['code', 'reason', 'taskId', 'type'], 'the members of an end');
      await isShowing(socket, mine);
    },
  }),
  about({
    id: 'multiplex.refused-frame',
    title: 'refuses a bad cursor and an unknown field by an end with 1008, which is no fault of the others',
    failureClass: 'cursor-not-resumable',
    async run(server, socket) {
      const mine = await start(server, 'wait');
      socket.subscribe(mine);
      for (const more of [{ lastEventId: '$' }, { lastEventId: 7 }, { surprise: 1 }]) {
        const taskId = await start(server, 'wait');
        socket.send({ action: 'subscribe', taskId, ...more });
        same(await socket.ends(taskId), [1008], `how a subscription with ${JSON.stringify(more)} ends`);
        same(socket.of(taskId).length, 1, 'the number of its frames');
      }
      await isShowing(socket, mine);
    },
  }),
  about({
    id: 'multiplex.cursors',
    title: 'gives each task its facts after a cursor of its own: all that are newer, and at once the end where it is at it',
    failureClass: 'duplicates-on-replay',
    async run(server, socket) {
      const tasks = await Promise.all([1, 2, 3, 4].map(() => start(server, 'steps', { count: 4 })));
      const logs = await Promise.all(tasks.map((taskId) => ended(server, taskId)));
      const places = [1, 3, 4, 6];
      for (const [i, taskId] of tasks.entries()) socket.subscribe(taskId, logs[i]?.[(places[i] ?? 0) - 1]?.eventId);
      for (const [i, taskId] of tasks.entries()) {
        await socket.ends(taskId);
        const after = (places[i] ?? 0) - 1;
        const ids = idsOf(logs[i] ?? []);
        includes(socket.of(taskId)[0], { type: CONFIRMED, replayStartedAfterEventId: ids[after] });
        same(socket.shortOf(taskId).slice(1), [...ids.slice(after + 1), endedBy(1000)], `what came after fact ${after + 1}`);
      }
    },
  }),
  about({
    id: 'multiplex.gap',
    title: 'says of the one task whose cursor is of another history that it cannot be gone on from',
    section: 'GAP',
    failureClass: 'cursor-not-resumable',
    async run(server, socket) {
      const [strange, sound] = [await start(server, 'steps', { count: 3 }), await start(server, 'steps', { count: 3 })];
      const [ids, others] = [idsOf(await ended(server, strange)), idsOf(await ended(server, sound))];
      const [n, ms] = present(ids[1], 'the second id').split('-');
      socket.subscribe(strange, `${n}-${BigInt(ms ?? 0) + 1n}`);
      socket.subscribe(sound, others[1] ?? '');
      await Promise.all([socket.ends(strange), socket.ends(sound)]);
      same(socket.of(strange)[1], { type: 'GAP', taskId: strange, reason: 'reset', firstEventId: ids[0] });
      same(socket.shortOf(strange).slice(2), [...ids, endedBy(1000)]);
      same(socket.shortOf(sound), [CONFIRMED, ...others.slice(2), endedBy(1000)]);
    },
  }),
  about({
    id: 'multiplex.unsubscribe',
    title: 'ends a subscription by 1000 when it is told to, after which nothing of it comes; from its cursor it goes on',
    section: 'Unsubscribe, Pause and resume',
    failureClass: 'second-drop',
    async run(server, socket) {
      const taskId = await start(server, 'ask', { questions: 2, steps: 20 });
      socket.subscribe(taskId);
      await socket.until(({ type }) => type === 'TASK_SUSPENDED', 'the first question');
      await act(server, taskId, { suspendId: await openQuestion(server, taskId) });
      socket.unsubscribe(taskId);
      await socket.ends(taskId);
      const seen = socket.shortOf(taskId);
      same([seen[0], seen.at(-1)], [CONFIRMED, endedBy(1000)], 'the first and the last frame');
      await act(server, taskId, { suspendId: await openQuestion(server, taskId, 2) });
      const whole = idsOf(await ended(server, taskId));
      await isOpen(server, socket);
      same(socket.shortOf(taskId), seen, 'what came for the task after its end was told');
      const got = seen.slice(1, -1);
      socket.subscribe(taskId, got.at(-1) ?? '0-0');
      await socket.ends(taskId, 2);
      const facts = socket.of(taskId).flatMap(({ type, eventId }) => (type.startsWith('TASK_') && eventId ? [{ eventId }] : []));
      same(idsOf(facts), whole, 'both pieces together');
    },
  }),
  about({
    id: 'multiplex.unsubscribe-unknown',
    title: 'neither answers nor minds an unsubscribe for a task that is not subscribed',
    section: 'Unsubscribe',
    async run(server, socket) {
      const mine = await start(server, 'wait');
      for (const taskId of [UNKNOWN, mine]) socket.unsubscribe(taskId);
      socket.subscribe(mine);
      await isShowing(socket, mine);
      same(socket.of(UNKNOWN), [], 'the answers to an unsubscribe of what was never subscribed');
      same(socket.of(mine)[0]?.type, CONFIRMED, 'the first frame of the task');
    },
  }),
  about({
    id: 'multiplex.subscribe-again',
    title: 'ends the former subscription of a task by 1000 when it is subscribed again, before the new one is confirmed',
    section: 'Subscribe',
    async run(server, socket) {
      const taskId = await start(server, 'wait');
      socket.subscribe(taskId);
      await isShowing(socket, taskId);
      const ids = idsOf(socket.of(taskId).filter(({ type }) => type.startsWith('TASK_')) as { eventId: string }[]);
      socket.subscribe(taskId, ids[0] ?? '');
      const wanted = [CONFIRMED, ...ids, endedBy(1000), CONFIRMED, ...ids.slice(1)];
      await socket.until(() => socket.shortOf(taskId).length >= wanted.length, 'the second run of facts');
      same(socket.shortOf(taskId), wanted);
    },
  }),
  about({
    id: 'multiplex.one-end',
    title: 'ends every subscription exactly once and in order, however quickly tasks are subscribed, left and subscribed again',
    section: 'exactly once for every subscribe',
    failureClass: 'storms',
    async run(server, socket) {
      const tasks = await Promise.all([1, 2].map(() => start(server, 'steps', { count: 10 })));
      // What is still being found out takes room on the socket too: all of them together stay below its least limit.
      const rounds = 4;
      for (let round = 1; round <= rounds; round += 1)
        for (const [i, taskId] of tasks.entries()) {
          socket.subscribe(taskId);
          // In some rounds the next subscribe ends it, in others an unsubscribe, and the last one the log.
          if (round < rounds && (round + i) % 2 === 0) socket.unsubscribe(taskId);
        }
      for (const taskId of tasks) {
        await socket.ends(taskId, rounds);
        same(await socket.ends(taskId), Array<number>(rounds).fill(1000), 'the ends of one task');
      }
      await isOpen(server, socket);
      for (const taskId of tasks) {
        const whole = idsOf(await ended(server, taskId));
        const runs = runsOf(socket.shortOf(taskId));
        same(runs.length, rounds, 'the number of runs, each closed by an end');
        same(runs.at(-1), [CONFIRMED, ...whole], 'the last run');
        for (const run of runs) same(run.slice(0, 1 + whole.length), [CONFIRMED, ...whole].slice(0, run.length), 'a run that was left');
      }
    },
  }),
  about({
    id: 'multiplex.heartbeats',
    title: 'sends heartbeats for a task that is quiet while another one on the socket is not',
    section: 'Heartbeats',
    limitMs: 40_000,
    async run(server, socket) {
      const [quiet, other] = [await start(server, 'wait'), await start(server, 'wait')];
      for (const taskId of [quiet, other]) socket.subscribe(taskId);
      const beats = (taskId: string) => socket.of(taskId).filter(({ type }) => type === 'HEARTBEAT');
      let isOver = false;
      const noise = (async () => {
        // Every new subscription is news on the socket.
        while (!isOver) {
          socket.subscribe(other);
          await new Promise((resolve) => setTimeout(resolve, server.profile.heartbeatMs / 4));
        }
      })();
      try {
        await socket.until(() => beats(quiet).length > 1, 'the second heartbeat of the quiet task');
      } finally {
        isOver = true;
        await noise;
      }
      same(beats(quiet)[0], { type: 'HEARTBEAT', taskId: quiet, live: true });
    },
  }),
  about({
    id: 'multiplex.full',
    title: 'refuses one task more than it may show by an end with 1013, shows the others, and has room again when one has ended',
    section: 'Room: tasksPerSocketMax',
    failureClass: 'storms',
    missing: ({ profile: { tasksPerSocketMax = 301 } }) =>
      tasksPerSocketMax > 300 ? 'the profile has no tasksPerSocketMax up to 300.' : undefined,
    async run(server, socket) {
      const most = server.profile.tasksPerSocketMax ?? 0;
      // With the one that is subscribed already.
      const tasks = await Promise.all(Array.from({ length: most }, () => start(server, 'wait')));
      const last = present(tasks.at(-1), 'the last task');
      for (const taskId of tasks) socket.subscribe(taskId);
      same(await socket.ends(last), [1013], 'how the subscription ends that is one too many');
      for (const taskId of tasks.slice(0, -1)) await isShowing(socket, taskId);
      socket.unsubscribe(present(tasks[0], 'the first task'));
      socket.subscribe(last);
      await isShowing(socket, last);
      same(socket.frames.filter(({ code }) => code === 1013).length, 1, 'the number of ends with 1013');
    },
  }),
  ...(
    [
      ['no-json', 'that is no JSON', '{"action":', 1008],
      ['action', 'with another action', { action: 'pause', taskId: UNKNOWN }, 1008],
      ['no-task', 'that names no task', { action: 'unsubscribe' }, 1008],
      ['binary', 'that is binary', Buffer.from('{}'), 1003],
    ] as const
  ).map(([name, what, frame, code]) =>
    about({
      id: `multiplex.frame-${name}`,
      title: `closes the socket with ${code} for a frame ${what}`,
      section: 'The socket as a whole',
      async run(server, socket) {
        const taskId = await start(server, 'wait');
        socket.subscribe(taskId);
        await isShowing(socket, taskId);
        socket.send(frame);
        same(await socket.end, { how: 'ended', code });
      },
    }),
  ),
  about({
    id: 'multiplex.idle',
    title: 'closes a socket that has no subscription any more, and one that never had, with 1000',
    section: 'The socket as a whole',
    failureClass: 'end-or-cut',
    missing: ({ profile: { subscribeMs = 5001 } }) => (subscribeMs > 5000 ? 'the profile has no subscribeMs up to 5000.' : undefined),
    async run(server) {
      const taskId = await start(server, 'echo');
      await ended(server, taskId);
      const [never, socket] = await Promise.all([sharedSocket(server), sharedSocket(server)]);
      socket.subscribe(taskId);
      await socket.ends(taskId);
      same(
        [await socket.end, await never.end],
        [1000, 1000].map((code) => ({ how: 'ended', code })),
      );
    },
  }),
];

/** Proves that a task is being shown: its report that it waits has come. */
async function isShowing(socket: SharedSocket, taskId: string): Promise<void> {
  await socket.until((frame) => frame.taskId === taskId && frame.type === 'TASK_PROGRESS', `the report of ${taskId}`);
}

/** Proves that the socket still takes subscriptions. */
async function isOpen(server: ServerUnderTest, socket: SharedSocket): Promise<void> {
  const taskId = await start(server, 'echo');
  socket.subscribe(taskId);
  same(await socket.ends(taskId), [1000], 'how a new task ends on the socket');
}

/** The frames of a task, cut at its ends. */
function runsOf(frames: readonly string[]): string[][] {
  const runs: string[][] = [[]];
  for (const frame of frames) {
    if (frame.startsWith(ENDED)) runs.push([]);
    else runs.at(-1)?.push(frame);
  }
  return runs.slice(0, -1);
}
