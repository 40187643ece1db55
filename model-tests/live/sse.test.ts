import Koa from 'koa';
import { Agent, createServer, request, type IncomingMessage } from 'node:http';
import { describe, expect, it, vi } from 'vitest';
import { openSse, sseStreamDefaults as settings } from '../../server/http/sse/index.ts';
import { systemClock } from '../../server/ports/index.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { onLoopback } from '../support/loopback.ts';
import { liveHost, watchBySse } from './host.ts';
import { evenChance } from './hub-fixture.ts';
import { taskLog } from './task-log.ts';

/** Nobody falls silent here. */
const noSilence = { watch: () => () => undefined };

describe('an SSE stream', () => {
  it('has the headers that keep proxies from holding it back, and the frames of the protocol to the letter', async () => {
    const host = await liveHost();
    const task = await taskLog(host.store);
    await task.append(1);
    await task.end();
    const viewer = watchBySse(host, task.taskId);
    const { statusCode, headers } = await viewer.response;
    expect(await viewer.closed).toBe('end');
    expect(statusCode).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
    const [heartbeat, first, last, nothing] = viewer.text.split('\n\n');
    expect(heartbeat).toMatch(
      /^:heartbeat\ndata:\{"type":"HEARTBEAT","taskId":"[0-9a-f]{32}","eventId":"hb-a+","createdAt":"[^"]+Z","payload":\{"live":true\}\}$/,
    );
    for (const [block, id] of [
      [first, task.ids[0]],
      [last, task.ids[1]],
    ] as const)
      expect(block).toMatch(new RegExp(`^id:${id}\\ndata:\\{"type":[^\\n]*"eventId":"${id}"[^\\n]*\\}$`));
    expect(nothing).toBe('');
  });

  it('is refused before anything is written where the process has as many viewers as it may', async () => {
    const host = await liveHost({ live: { viewersMax: 1 } });
    const task = await taskLog(host.store);
    watchBySse(host, task.taskId);
    await vi.waitFor(() => expect(host.hub.viewers).toBe(1));
    const seen = vi.fn();
    const { req, res } = { req: { socket: {} } as never, res: { writeHead: seen, write: seen } as never };
    const attempt = (): void =>
      openSse(
        { req, res, taskId: task.taskId, auth: { subject: 'ann' }, cursor: undefined },
        { hub: host.hub, settings, silentPeers: noSilence, clock: systemClock, chance: evenChance },
      );
    expect(attempt).toThrow(expect.objectContaining({ code: 'RATE_LIMITED', retryAfterSeconds: 5 }) as Error);
    expect(seen).not.toHaveBeenCalled();
  });

  it('ends at its age, a little sooner by chance, and the next one goes on where it was', async () => {
    const clock = fakeClock();
    // Chance takes half of the tenth.
    const host = await liveHost({ clock, streams: { sse: { ageMsMax: 10_000 } } });
    const task = await taskLog(host.store);
    await task.append(1);
    const viewer = watchBySse(host, task.taskId);
    await vi.waitFor(() => expect(viewer.text).toContain(`id:${task.ids[0]}`));
    clock.advance(9499);
    expect(host.hub.viewers).toBe(1);
    clock.advance(1);
    expect(await viewer.closed).toBe('end');
    expect(host.hub.viewers).toBe(0);
    const next = watchBySse(host, task.taskId, task.ids[0]);
    await task.end();
    expect(await next.closed).toBe('end');
    expect(next.text).not.toContain(`id:${task.ids[0]}`);
    expect(next.text).toContain(`id:${task.ids[1]}`);
  });

  it('leaves its connection for the next ones, one after the other, without leaving anything on it', async () => {
    const host = await liveHost();
    const task = await taskLog(host.store);
    await task.end();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let round = 0; round < 15; round += 1) {
      const response = await new Promise<IncomingMessage>((resolve, reject) =>
        request({ port: host.port, host: '127.0.0.1', agent, path: `/events/${task.taskId}` }, resolve)
          .on('error', reject)
          .end(),
      );
      await new Promise((resolve) => response.on('end', resolve).resume());
    }
    await vi.waitFor(() => expect(host.hub.viewers).toBe(0));
    const [socket, ...others] = host.sockets;
    expect(others).toEqual([]);
    expect(socket?.listenerCount('end')).toBeLessThan(5);
    agent.destroy();
  });

  it('takes a response over from Koa, with status 200', async () => {
    const host = await liveHost();
    const task = await taskLog(host.store);
    await task.append(2);
    await task.end();
    const app = new Koa();
    app.use((ctx) => {
      openSse(
        { req: ctx.req, res: ctx.res, taskId: task.taskId, auth: { subject: 'ann' }, cursor: undefined },
        { hub: host.hub, settings, silentPeers: noSilence, clock: systemClock, chance: evenChance },
      );
      ctx.respond = false;
    });
    const answer = app.callback();
    const server = createServer((req, res) => void answer(req, res));
    const { port, close } = await onLoopback(server);
    const viewer = watchBySse({ ...host, port }, task.taskId);
    expect((await viewer.response).statusCode).toBe(200);
    expect(await viewer.closed).toBe('end');
    expect(viewer.ids).toEqual(task.ids);
    await close();
  });

  it('is freed when its peer has fallen silent, and its peer is watched no longer than it lasts', async () => {
    const host = await liveHost();
    const task = await taskLog(host.store);
    let fallSilent: () => void = () => undefined;
    const forget = vi.fn();
    const silentPeers = {
      watch: (_: unknown, onSilent: () => void) => {
        fallSilent = onSilent;
        return forget;
      },
    };
    const server = createServer((req, res) =>
      openSse(
        { req, res, taskId: task.taskId, auth: { subject: 'ann' }, cursor: undefined },
        { hub: host.hub, settings, silentPeers, clock: systemClock, chance: evenChance },
      ),
    );
    const { port, close } = await onLoopback(server);
    const viewer = watchBySse({ ...host, port }, task.taskId);
    await viewer.response;
    expect(host.hub.viewers).toBe(1);
    fallSilent();
    expect(host.hub.viewers).toBe(0);
    expect(await viewer.closed).not.toBe('end');
    await vi.waitFor(() => expect(forget).toHaveBeenCalledOnce());
    await close();
  });
});
