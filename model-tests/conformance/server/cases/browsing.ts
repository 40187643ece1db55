import type { Case } from '../../suite/case.ts';
import { present, same } from '../../suite/claim.ts';
import { act, call, log, openQuestion, refused, someId, start, type CallOptions } from '../calls.ts';
import { refusedStream, stream, webSocket, type StreamOptions } from '../streams.ts';
import type { ServerUnderTest } from '../server-under-test.ts';

const requests = 'docs/protocol.md, Requests: a POST from a page of a foreign Origin';
const ws = 'docs/protocol.md, WebSocket: in a browser';
const FOREIGN = ['https://foreign.example', 'null'];

const noCookie = ({ browser }: ServerUnderTest): string | undefined =>
  browser?.cookie ? undefined : 'the host knows nobody by a cookie (browser.cookie).';
const noToken = ({ browser }: ServerUnderTest): string | undefined =>
  browser?.token ? undefined : 'the host knows nobody by a bearer token (browser.token).';

/** A request of a page: a cookie speaks for it, and its origin where it has one. */
function page(server: ServerUnderTest, origin?: string): { readonly as: 'nobody'; readonly headers: Record<string, string> } {
  const cookie = present(server.browser?.cookie, 'browser.cookie')('one');
  return { as: 'nobody', headers: { cookie, ...(origin !== undefined && { origin }) } };
}

/** The origins from which pages may do everything: the host's own, and the one that it was told to allow. */
function allowed({ baseUrl, browser }: ServerUnderTest): string[] {
  return [new URL(baseUrl).origin, ...(browser?.allowedOrigin === undefined ? [] : [browser.allowedOrigin])];
}

const create = (server: ServerUnderTest, options: CallOptions) =>
  call(server, 'POST', '/tasks', { json: { clientRequestId: someId(), taskType: 'conformance.echo', input: {} }, ...options });

/** The doors by which browsers come in. */
export const browsing: readonly Case<ServerUnderTest>[] = [
  {
    id: 'browser.foreign-post',
    title: 'refuses what a foreign page sends with a cookie, by 403, before anything is written',
    rule: requests,
    better: true,
    missing: noCookie,
    async run(server) {
      const taskId = await start(server, 'ask', {});
      const suspendId = await openQuestion(server, taskId);
      const before = await log(server, taskId);
      for (const origin of FOREIGN) {
        const options = page(server, origin);
        refused(await create(server, options), 403, 'ORIGIN_NOT_ALLOWED');
        refused(await call(server, 'POST', `/tasks/${taskId}/cancel`, { json: {}, ...options }), 403, 'ORIGIN_NOT_ALLOWED');
        refused(await act(server, taskId, { suspendId }, options), 403, 'ORIGIN_NOT_ALLOWED');
      }
      same(await log(server, taskId), before, 'the log afterwards');
    },
  },
  {
    id: 'browser.own-post',
    title: 'takes what its own pages, those of allowed origins and callers without an origin send with a cookie',
    rule: requests,
    better: true,
    missing: noCookie,
    async run(server) {
      for (const origin of [...allowed(server), undefined])
        same((await create(server, page(server, origin))).status, 201, `the status for the origin ${origin}`);
    },
  },
  {
    id: 'browser.foreign-post-with-header',
    title: 'takes what a foreign page sends with credentials in a header, which no browser adds by itself',
    rule: `${requests}: where a cookie is all that speaks for the caller`,
    async run(server) {
      for (const origin of FOREIGN) {
        const headers = { origin, ...(server.browser?.cookie && { cookie: server.browser.cookie('two') }) };
        same((await create(server, { headers })).status, 201, `the status for the origin ${origin}`);
      }
    },
  },
  {
    id: 'browser.foreign-read',
    title: 'answers the reads of a foreign page, which its browser keeps from it',
    rule: `${requests}; reading is left to the browser's own rules`,
    missing: noCookie,
    async run(server) {
      const taskId = await start(server, 'wait');
      const options = page(server, FOREIGN[0]);
      same((await call(server, 'GET', `/tasks/${taskId}/events`, options)).status, 200, 'the status of a poll');
      const opened = stream('sse', server, taskId, options);
      await opened.until(({ type }) => type === 'TASK_PROGRESS', 'a fact');
      opened.close();
    },
  },
  {
    id: 'browser.foreign-upgrade',
    title: 'refuses the upgrade of a foreign page that a cookie speaks for, by 403, and takes those of its own and of allowed origins',
    rule: `${ws} they travel as a cookie (then the Origin has to be allowed)`,
    better: true,
    missing: noCookie,
    async run(server) {
      const taskId = await start(server, 'wait');
      for (const origin of FOREIGN) await refusedStream(stream('ws', server, taskId, page(server, origin)), 403, 'ORIGIN_NOT_ALLOWED');
      for (const origin of [...allowed(server), undefined]) await confirms(server, taskId, page(server, origin));
    },
  },
  {
    id: 'browser.bearer-subprotocol',
    title: 'takes a token as a subprotocol, whatever the origin, and selects taskbridge.v1 and never the token',
    rule: `${ws} or as subprotocols`,
    better: true,
    missing: noToken,
    async run(server) {
      const taskId = await start(server, 'wait');
      const bearer = `bearer.${base64url(tokenOf(server))}`;
      for (const protocols of [
        ['taskbridge.v1', bearer],
        [bearer, 'taskbridge.v1'],
      ])
        for (const headers of [{}, { origin: FOREIGN[0] ?? '' }])
          same(
            await confirms(server, taskId, { as: 'nobody', protocols, headers }),
            'taskbridge.v1',
            `the protocol selected of ${protocols.join()}`,
          );
      await confirms(server, taskId, { protocols: ['taskbridge.v1'] });
    },
  },
  {
    id: 'browser.bearer-refused',
    title: 'answers 401 to the upgrade where the token in the subprotocol is no base64url, of nobody, or two',
    rule: `${ws}; without credentials the upgrade is answered 401`,
    better: true,
    missing: noToken,
    async run(server) {
      const taskId = await start(server, 'wait');
      const good = `bearer.${base64url(tokenOf(server))}`;
      for (const offered of [['bearer.~~~'], [`${good}=`.replace('=', '!')], ['bearer.'], [good, `bearer.${base64url('another')}`], []]) {
        const options = { as: 'nobody', protocols: ['taskbridge.v1', ...offered] } as const;
        await refusedStream(stream('ws', server, taskId, options), 401, 'AUTHENTICATION_ERROR');
      }
    },
  },
];

/** Opens a socket, proves that it shows the task, and gives the protocol that was selected. */
async function confirms(server: ServerUnderTest, taskId: string, options: StreamOptions): Promise<string> {
  const opened = webSocket(server, [{ action: 'subscribe', taskId }], options);
  await opened.until(({ type }) => type === 'TASK_PROGRESS', `a fact with ${JSON.stringify(options)}`);
  opened.close();
  return opened.protocol;
}

const tokenOf = ({ browser }: ServerUnderTest): string => present(browser?.token, 'browser.token')('one');
const base64url = (text: string): string => Buffer.from(text).toString('base64url');
