/** A page that uses the client, and reports what it saw; in frames of it, as two tabs of a browser. */
import type { TransportName } from 'taskbridge/client';
import { tabSockets } from 'taskbridge/client/tabs';
import { wholeLife } from './task-run.ts';

const baseUrl = location.origin;
const known = new URLSearchParams(location.search).get('task');

async function asTab(taskId: string): Promise<void> {
  const sockets = tabSockets({ name: 'ada' });
  const seen = await wholeLife({ baseUrl, transports: ['ws'], sockets }, taskId);
  sockets.close();
  parent.postMessage(seen, location.origin);
}

async function inFrames(taskId: string): Promise<unknown[]> {
  const seen: unknown[] = [];
  const both = new Promise<void>((resolve) => {
    addEventListener('message', ({ data }) => {
      if (seen.push(data) === 2) resolve();
    });
  });
  for (let n = 0; n < 2; n += 1) document.body.append(Object.assign(document.createElement('iframe'), { src: `/?task=${taskId}` }));
  await both;
  return seen;
}

async function asPage(): Promise<void> {
  const seen: Record<string, unknown> = { agent: navigator.userAgent };
  for (const transports of ['ws', 'sse', 'poll', 'ws,sse,poll'])
    seen[transports] = await wholeLife({ baseUrl, transports: transports.split(',') as TransportName[] }).catch(String);
  const started = await fetch('/api/v1/tasks', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ clientRequestId: 'tabs', taskType: 'count', input: { to: 6 } }),
  });
  const { taskId } = (await started.json()) as { readonly taskId: string };
  seen['tabs'] = await inFrames(taskId);
  await fetch('/report', { method: 'POST', body: JSON.stringify(seen) });
}

void (known === null ? asPage() : asTab(known));
