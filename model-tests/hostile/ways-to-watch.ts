import { once } from 'node:events';
import { onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import { memoryStore } from '../../adapters/memory/index.ts';
import type { LiveOptions, TaskExecutor } from '../../server/index.ts';
import { bridgeOf } from '../server/bridge-of.ts';

/** What came of trying to watch: a place, or why there is none. */
export interface Attempt {
  /** `taken`, or the refusal: `429 RATE_LIMITED 5`, with the seconds of Retry-After; `1013 RATE_LIMITED` on a shared socket. */
  readonly outcome: string;
  /** All that has come so far. */
  text(): string;
  leave(): void;
}

/** A host and, for any owner, every way to watch a task there. */
export interface WatchedHost {
  /** Creates a task of that owner; resolves when it has begun. */
  start(owner: string): Promise<string>;
  /** Opens a WebSocket that asks for nothing yet. */
  open(owner: string): Promise<Attempt | OpenSocket>;
  readonly ways: Readonly<Record<'web socket' | 'shared socket' | 'stream' | 'poll', (owner: string, taskId: string) => Promise<Attempt>>>;
}

export type Way = keyof WatchedHost['ways'];
export const wayNames: readonly Way[] = ['web socket', 'shared socket', 'stream', 'poll'];

type Envelope = { readonly code: string };
const refused = (status: number, body: string, retryAfter: string | null | undefined): Attempt => ({
  // An error is answered with its envelope.
  outcome: `${status} ${(JSON.parse(body) as Envelope).code} ${retryAfter ?? ''}`,
  text: () => body,
  leave: () => undefined,
});

/** Starts a host whose tasks wait for the test. */
export async function watchedHost(executor: TaskExecutor, live: Partial<LiveOptions>): Promise<WatchedHost> {
  const inner = memoryStore();
  const reads = new Map<string, number>();
  const store: typeof inner = {
    ...inner,
    read(taskId, ...range) {
      reads.set(taskId, (reads.get(taskId) ?? 0) + 1);
      return inner.read(taskId, ...range);
    },
  };
  const { url } = await bridgeOf(executor, { store, live });
  let requests = 0;
  const shared = new Map<string, OpenSocket & { tasks: number }>();
  const events = (taskId: string) => `${url}/api/v1/tasks/${taskId}/events`;
  const lastEventId = async (taskId: string) => (await inner.lastEventIds([taskId]))[0] ?? '';

  return {
    async start(owner) {
      const body = JSON.stringify({ clientRequestId: `r${(requests += 1)}`, taskType: 'hold' });
      const headers = { authorization: owner, 'content-type': 'application/json' };
      const response = await fetch(`${url}/api/v1/tasks`, { method: 'POST', headers, body });
      const { taskId } = (await response.json()) as { taskId: string };
      await vi.waitUntil(() => lastEventId(taskId));
      return taskId;
    },
    open: (owner) => openSocket(url, owner, ''),
    ways: {
      async 'web socket'(owner, taskId) {
        const opened = await openSocket(url, owner, '');
        return 'ws' in opened ? subscribe(opened, taskId) : opened;
      },
      async 'shared socket'(owner, taskId) {
        let known = shared.get(owner);
        if (known?.ws.readyState !== WebSocket.OPEN) {
          const opened = await openSocket(url, owner, '?extensions=multiplex');
          if (!('ws' in opened)) return opened;
          shared.set(owner, (known = { ...opened, tasks: 0 }));
        }
        const socket = known;
        const { ws, frames } = socket;
        const [before, text] = [frames.length, () => frames.filter((frame) => frame.includes(taskId)).join('\n')];
        ws.send(JSON.stringify({ action: 'subscribe', taskId }));
        const isAnswer = (frame: string) => frame.includes(taskId) && frame.includes('"SUBSCRIPTION_');
        const answer = await vi.waitUntil(() => frames.slice(before).find(isAnswer));
        const { code, reason } = JSON.parse(answer) as { code?: number; reason?: string };
        if (code !== undefined) return { outcome: `${code} ${reason}`, text, leave: () => undefined };
        socket.tasks += 1;
        const leave = () => {
          ws.send(JSON.stringify({ action: 'unsubscribe', taskId }));
          // One that shows nothing would still count, since it may subscribe at any moment.
          if ((socket.tasks -= 1) === 0) ws.terminate();
        };
        return { outcome: 'taken', text, leave };
      },
      async stream(owner, taskId) {
        const gone = new AbortController();
        const response = await fetch(`${events(taskId)}/stream`, { headers: { authorization: owner }, signal: gone.signal });
        if (response.status !== 200) return refused(response.status, await response.text(), response.headers.get('retry-after'));
        let text = '';
        onTestFinished(() => gone.abort());
        void response.body?.pipeTo(new WritableStream({ write: (bytes) => void (text += Buffer.from(bytes).toString()) })).catch(() => '');
        return { outcome: 'taken', text: () => text, leave: () => gone.abort() };
      },
      async poll(owner, taskId) {
        const gone = new AbortController();
        const before = reads.get(taskId) ?? 0;
        const query = `?afterEventId=${await lastEventId(taskId)}&waitTimeoutMs=60000`;
        let [text, answer] = ['', undefined as Attempt | undefined];
        onTestFinished(() => gone.abort());
        void fetch(events(taskId) + query, { headers: { authorization: owner }, signal: gone.signal })
          .then(async (response) => {
            text = await response.text();
            if (response.status !== 200) answer = refused(response.status, text, response.headers.get('retry-after'));
          })
          .catch(() => undefined);
        // One that waits reads again when it has begun to hear of news.
        await vi.waitUntil(() => answer ?? (reads.get(taskId) ?? 0) >= before + 2);
        return answer ?? { outcome: 'taken', text: () => text, leave: () => gone.abort() };
      },
    },
  };
}

/** A WebSocket, and what came by it. */
export interface OpenSocket {
  readonly ws: WebSocket;
  readonly frames: readonly string[];
  text(): string;
}

/** Resolves when the one task of a socket is shown, or the socket is gone. */
export async function subscribe({ ws, text }: OpenSocket, taskId: string): Promise<Attempt> {
  ws.send(JSON.stringify({ action: 'subscribe', taskId }));
  await vi.waitUntil(() => text().includes('SUBSCRIPTION_CONFIRMED') || ws.readyState !== ws.OPEN);
  return { outcome: ws.readyState === ws.OPEN ? 'taken' : 'cut', text, leave: () => ws.terminate() };
}

/** Resolves when it is open, or with the refusal. */
async function openSocket(url: string, owner: string, query: string): Promise<OpenSocket | Attempt> {
  const ws = new WebSocket(`${url.replace('http', 'ws')}/api/v1/tasks/ws${query}`, { headers: { authorization: owner } });
  const frames: string[] = [];
  ws.on('error', () => undefined);
  ws.on('message', (data: Buffer) => frames.push(data.toString()));
  onTestFinished(() => ws.terminate());
  const refusal = new Promise<Attempt>((resolve) =>
    ws.once('unexpected-response', (_request, response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.once('end', () => resolve(refused(response.statusCode ?? 0, body, response.headers['retry-after'])));
    }),
  );
  return Promise.race([refusal, once(ws, 'open').then(() => ({ ws, frames, text: () => frames.join('\n') }))]);
}
