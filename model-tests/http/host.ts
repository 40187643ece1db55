import type Koa from 'koa';
import { memoryAttachments } from '../../adapters/memory/attachments.ts';
import { eventId } from '../../machines/wire/index.ts';
import { TaskBridgeError } from '../../server/errors.ts';
import { createHttpRouter, type HttpRouterDeps } from '../../server/http/router.ts';
import type { SharedSseRequest, SseRequest } from '../../server/http/live-service.ts';
import type { PollRequest } from '../../server/live/poll.ts';
import { systemChance, systemClock, type AttachmentStore, type AuthContextResolver, type Entry } from '../../server/ports/index.ts';
import { fakeService, FINISHED } from './fake-service.ts';
import { listen } from './listen.ts';

/** 2026-09-21T14:13:20Z, always. Timers are the machine's. */
export const fixedClock = { ...systemClock, now: () => 1_790_000_000_000 };

/** `Authorization: Bearer <subject>`; some subjects make the resolver fail in its ways. */
export const auth: AuthContextResolver = ({ headers }) => {
  const subject = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1];
  if (subject === undefined) return undefined;
  if (subject === 'refused') throw new TaskBridgeError('AUTHENTICATION_ERROR', 'The token is not ours.');
  if (subject === 'broken') throw new Error('secret');
  if (subject === 'nobody') return { subject: '' };
  if (subject === 'ended') return { subject, expiresAt: 1 };
  return { subject };
};

function entries(taskId: string, ended: boolean): readonly Entry[] {
  const fact = (n: number, type: string, payload: object) => {
    const ms = fixedClock.now() + n;
    const envelope = { type, taskId, eventId: eventId(n, ms), createdAt: new Date(ms).toISOString(), payload };
    return { eventId: envelope.eventId, bytes: Buffer.from(JSON.stringify(envelope)) };
  };
  const last = ended ? fact(3, 'TASK_COMPLETED', { result: 'grün' }) : fact(3, 'TASK_MESSAGE', { message: 'grün' });
  return [fact(1, 'TASK_STARTED', {}), fact(2, 'TASK_PROGRESS', { progress: 40 }), last];
}

/** Three facts a task; a poll that waits does so until its client goes. */
export function fakeLive() {
  const polls: PollRequest[] = [];
  const streams: SseRequest[] = [];
  const shared: SharedSseRequest[] = [];
  let onWait = () => {};
  const waiting = new Promise<void>((resolve) => (onWait = resolve));
  return {
    polls,
    streams,
    shared,
    waiting,
    sseHeaders: { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache, no-transform' },
    async poll(taskId: string, request: PollRequest) {
      polls.push(request);
      const { after = '', waitMs, maxEvents, signal } = request;
      if (waitMs > 0) {
        onWait();
        await new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(new Error('gone'))));
      }
      const from = after.startsWith('9-') ? 0 : Number(after.split('-')[0] ?? 0);
      const newer = entries(taskId, taskId === FINISHED).slice(from);
      const page = newer.slice(0, maxEvents);
      const hasMore = newer.length > page.length;
      const gap = after.startsWith('9-') ? { gap: { reason: 'reset', firstEventId: eventId(1, fixedClock.now() + 1) } as const } : {};
      return {
        entries: page,
        nextAfterEventId: page.at(-1)?.eventId ?? (after || null),
        hasMore,
        terminal: taskId === FINISHED && !hasMore,
        ...gap,
      };
    },
    openSse(request: SseRequest) {
      if (request.after === '8-1') throw new TaskBridgeError('RATE_LIMITED', 'Too many viewers.', { retryAfterSeconds: 1 });
      streams.push(request);
      request.res.writeHead(200, { 'content-type': 'text/event-stream' }).end(': hello\n\n');
    },
    openSharedSse(request: SharedSseRequest) {
      shared.push(request);
      request.res.writeHead(200, { 'content-type': 'text/event-stream' }).end(': hello\n\n');
    },
  };
}

/** An attachment store that can be looked into. */
export function visibleAttachments(): AttachmentStore & { all(): Promise<string[]> } {
  const store = memoryAttachments();
  return {
    ...store,
    async all() {
      const keys: string[] = [];
      for await (const key of store.keys(Number.POSITIVE_INFINITY)) keys.push(key);
      return keys.sort();
    },
  };
}

/** A Koa app on a free port, with our door and one route of its own behind it. */
export async function startHost(parts: Partial<HttpRouterDeps> & { readonly prefix?: string; readonly before?: Koa.Middleware } = {}) {
  const fake = fakeService();
  const live = fakeLive();
  const attachments = visibleAttachments();
  const logged: { readonly message: string; readonly fields: Readonly<Record<string, unknown>> | undefined }[] = [];
  const log = (message: string, fields?: Readonly<Record<string, unknown>>) => void logged.push({ message, fields });
  const door = createHttpRouter({
    service: fake.service,
    live,
    auth,
    attachments,
    clock: fixedClock,
    chance: systemChance,
    logger: { warn: log, error: log },
    ...parts,
  });
  const before: Koa.Middleware[] = parts.before ? [parts.before] : [];
  const listening = await listen(...before, door.middleware({ prefix: parts.prefix ?? '/api/v1' }), (ctx) => void (ctx.body = 'the host'));
  return {
    ...fake,
    live,
    attachments,
    logged,
    ...listening,
  };
}

/** What {@link startHost} gives. */
export type Host = Awaited<ReturnType<typeof startHost>>;
