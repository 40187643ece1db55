import type { Case } from '../../suite/case.ts';
import { holds, present, same } from '../../suite/claim.ts';
import { slowness } from '../../suite/slowness.ts';
import type { ClientDriver, ClientTransport } from '../driver.ts';
import { adjusting, all, every, facts, final, givesUp, id, numberOf, over, pausesOf, pieces, withScenario, TASK } from '../scenario.ts';
import type { ServerScript } from '../scripted-server.ts';

const rule = 'docs/protocol.md, Clients';
const closed = `${rule}: a close`;

/** Closes after which a client comes back, and what their codes mean. */
const passing: readonly (readonly [number | undefined, string])[] = [
  [1001, 'the server goes away'],
  [1011, 'a fault of the server'],
  [1012, 'the server starts again'],
  [1013, 'no room now'],
  [4000, 'a code of a host'],
  [undefined, 'none'],
];

/** What a client does when a connection is lost, closed or refused. */
export const losing: readonly Case<ClientDriver>[] = [
  ...passing.flatMap(([code, meaning]) =>
    over(['ws'], (kind) => ({
      id: `client.close-${code ?? 'without-a-code'}`,
      title: `comes back after a rest, from the last fact that it delivered, after a close with ${code ?? 'no code'} (${meaning})`,
      rule: closed,
      failureClass: 'end-or-cut',
      async run(driver) {
        await pieces(driver, kind, (visit) => visit.close(code), 6);
        const script: ServerScript = {
          serve: (visit) => (visit.number === 1 ? visit.close(code) : visit.send(...facts(1, 2))),
        };
        await withScenario(driver, [kind], script, async ({ server, observe }) => {
          await all(observe());
          const [pause = 0] = pausesOf(server);
          holds(pause >= driver.restMs * 0.9, `it was to rest ${driver.restMs} ms before it came back, and rested ${pause} ms`);
        });
      },
    })),
  ),
  ...[1008, 4400, 4401, 4499].flatMap((code) =>
    over(['ws'], (kind) => ({
      id: `client.close-${code}`,
      title: `gives up after a close with ${code}, after one refresh and one more connection at most, and names the code`,
      rule: closed,
      failureClass: 'storms',
      run: (driver) =>
        withScenario(
          driver,
          [kind],
          { serve: (visit) => visit.close(code) },
          async (played) => {
            await givesUp(played, String(code), 2);
            const refreshes = await played.client.refreshes();
            holds(refreshes <= 1, `it refreshed its credentials ${refreshes} times`);
          },
          { tokens: ['first', 'second', 'third'] },
        ),
    })),
  ),
  ...over(['ws', 'sse'], (kind) => ({
    id: 'client.close-at-the-end',
    title: 'ends without an error where its cursor is at the end of a finished log, whose connection is closed without a fact',
    rule: closed,
    better: true,
    failureClass: 'end-or-cut',
    run(driver) {
      const snapshot = (): [number, object] => [200, { taskId: TASK, status: 'COMPLETED', state: 'completed', lastEventId: id(5) }];
      return withScenario(driver, [kind], { serve: (visit) => visit.end(), snapshot }, async ({ server, observe }) => {
        same(await all(observe(id(5))), [], 'what was delivered');
        same(server.visits.length, 1, 'the number of visits');
      });
    },
  })),
  ...over(every, (kind) => ({
    id: 'client.refreshed',
    title: 'asks for new credentials after a 401, comes back with them, and goes on from its cursor',
    rule: `${rule}: 401`,
    failureClass: 'storms',
    run(driver) {
      const script: ServerScript = {
        refuse: ({ number, token }) =>
          token === (number < 2 ? 'first' : 'second') ? undefined : { status: 401, code: 'AUTHENTICATION_ERROR' },
        serve(visit) {
          visit.send(...facts(numberOf(visit.after) + 1, visit.number === 1 ? 3 : 6, 6));
          if (visit.number === 1) visit.cut();
        },
      };
      return withScenario(
        driver,
        [kind],
        script,
        async ({ client, observe, server }) => {
          same(await all(observe()), facts(1, 6));
          same(await client.refreshes(), 1, 'the number of refreshes');
          same(server.visits.at(-1)?.after, id(3), 'the cursor after the refresh');
        },
        { tokens: ['first', 'second', 'never asked for'] },
      );
    },
  })),
  ...over(every, (kind) => ({
    id: 'client.unauthorized',
    title: 'gives up after a 401 that new credentials do not help against',
    rule: `${rule}: 401`,
    failureClass: 'storms',
    run: (driver) => final(driver, kind, { status: 401, code: 'AUTHENTICATION_ERROR' }, undefined, ['first', 'second', 'third', 'fourth']),
  })),
  ...over(every, (kind) => ({
    id: 'client.forbidden',
    title: 'gives up after a 403, and names its code',
    rule: `${rule}: 403`,
    run: (driver) => final(driver, kind, { status: 403, code: 'TASK_OWNERSHIP_ERROR' }),
  })),
  ...[400, 404, 405, 426].map((status): Case<ClientDriver> => ({
    id: `client.ruled-out-${status}`,
    title: `leaves a transport for the next one after a ${status} that is not about the task, and does not try it again`,
    rule: `${rule}: 400, 404 with another code, 405, 426, 501`,
    missing: ({ transports }) => (transports.length === 3 ? undefined : 'the client has not all three transports.'),
    async run(driver) {
      const script: ServerScript = {
        refuse: ({ kind }) => (kind === 'poll' ? undefined : { status, code: status === 404 ? 'NOT_FOUND' : 'INVALID_REQUEST' }),
        serve: (visit) => visit.send(...facts(numberOf(visit.after) + 1, Math.min(6, numberOf(visit.after) + 2), 6)),
      };
      await withScenario(driver, every, script, async ({ server, observe }) => {
        same(await all(observe()), facts(1, 6));
        const came = server.callers.map(({ kind }) => kind);
        same(came, ['ws', 'sse', ...Array<ClientTransport>(came.length - 2).fill('poll')], 'who came');
      });
    },
  })),
  {
    id: 'client.goes-down',
    title: 'goes down to the poll where the transports above it fail again and again, and gives up none for it',
    rule: `${rule}: a loss; after some tries by the next transport`,
    missing: ({ transports }) => (transports.length === 3 ? undefined : 'the client has not all three transports.'),
    async run(driver) {
      const script: ServerScript = {
        refuse: ({ kind }) => (kind === 'poll' ? undefined : { status: 503, code: 'STORE_UNAVAILABLE' }),
        serve: (visit) => visit.send(...facts(numberOf(visit.after) + 1, 4)),
      };
      await withScenario(driver, every, script, async ({ server, observe }) => {
        same(await all(observe()), facts(1, 4));
        const came = new Set(server.callers.map(({ kind }) => kind));
        same([...came], ['ws', 'sse', 'poll'], 'who came, in this order');
      });
    },
  },
  ...over(['ws', 'sse'], (kind) => ({
    id: 'client.silence',
    title: 'takes silence for the death of a stream, and comes back from its cursor',
    rule: `${rule}: silence`,
    failureClass: 'end-or-cut',
    missing: adjusting('livenessMs'),
    run(driver) {
      const script: ServerScript = { serve: (visit) => visit.send(...facts(numberOf(visit.after) + 1, visit.number === 1 ? 2 : 4, 4)) };
      return withScenario(driver, [kind], script, async ({ observe }) => same(await all(observe()), facts(1, 4)), { livenessMs: 300 });
    },
  })),
  ...over(['ws', 'sse'], (kind) => ({
    id: 'client.heartbeats',
    title: 'takes heartbeats for life: a quiet stream is not left as long as they come',
    rule: `${rule}: silence`,
    missing: adjusting('livenessMs'),
    run(driver) {
      // A beat that this process is kept from, or the client from hearing, is silence as well: so there are twenty beats to a silence, and a
      // slow machine has longer ones.
      const livenessMs = Math.ceil(1500 * slowness());
      const script: ServerScript = {
        serve(visit) {
          visit.send(...facts(numberOf(visit.after) + 1, 1, 3));
          let beats = 0;
          const timer = setInterval(() => {
            beats += 1;
            if (beats < 30) return visit.beat();
            clearInterval(timer);
            visit.send(...facts(2, 3));
          }, livenessMs / 20);
        },
      };
      return withScenario(
        driver,
        [kind],
        script,
        async ({ server, observe }) => {
          same(await all(observe()), facts(1, 3));
          same(server.visits.length, 1, 'the number of visits');
        },
        { livenessMs },
      );
    },
  })),
  ...over(['ws', 'sse'], (kind) => ({
    id: 'client.mute',
    title: 'leaves a transport that says nothing at all after it was opened, and comes back',
    rule: `${rule}: silence, also right after it was opened`,
    better: true,
    missing: adjusting('openMs'),
    run(driver) {
      const script: ServerScript = { isMute: ({ number }) => number === 1, serve: (visit) => visit.send(...facts(1, 3)) };
      return withScenario(
        driver,
        [kind],
        script,
        async ({ server, observe }) => {
          // Begun before it can begin: when its first call is seen here, its own time has run for as long as this process was busy.
          const since = performance.now();
          same(await all(observe()), facts(1, 3));
          const waited = Math.round(present(server.callers[1], 'a second caller').at - since);
          holds(waited >= 280, `it came back after ${waited} ms, before its time`);
        },
        { openMs: 300 },
      );
    },
  })),
];
