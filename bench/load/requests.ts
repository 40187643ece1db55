import { connect } from 'node:net';
import { TOKEN } from '../systems/system.ts';
import { getRequest, postRequest } from './frames.ts';
import type { Creates, Posts, Requests } from './load.ts';

const LENGTH = /content-length: (\d+)/i;

/** Asks again and again on a few kept connections; each has one request on its way. */
export async function countRequests({ port, path, connections, ms, expects }: Requests): Promise<{ requests: number; ms: number }> {
  const request = getRequest(path, TOKEN);
  const end = performance.now() + ms;
  let requests = 0;
  const next = (): string | undefined => {
    if (performance.now() >= end) return undefined;
    requests += 1;
    return request;
  };
  const took = await onConnections(connections, { port, next, status: '200', expects });
  return { requests, ms: took };
}

let created = 0;

/** Creates tasks in the same way, each under a request id of its own; gives how long it took, in milliseconds. */
export function createTasks({ port, taskType, connections, tasks }: Creates): Promise<number> {
  const last = created + tasks;
  const next = (): string | undefined => {
    if (created >= last) return undefined;
    const body = JSON.stringify({ clientRequestId: `bench-${++created}`, taskType, input: { text: 'hello' } });
    return postRequest('/api/v1/tasks', TOKEN, body);
  };
  return onConnections(connections, { port, next, status: '201', expects: '"deduplicated":false' });
}

/** Sends each of the requests once; gives how long it took, in milliseconds. */
export function sendPosts({ port, connections, requests, status, expects }: Posts): Promise<number> {
  const left = requests.values();
  const next = (): string | undefined => {
    const { value } = left.next();
    return value && postRequest(value.path, TOKEN, value.body);
  };
  return onConnections(connections, { port, next, status, expects });
}

/** What is asked, until there is no next one, and how each answer has to look. */
interface Asked {
  readonly port: number;
  next(): string | undefined;
  readonly status: string;
  readonly expects: string;
}

async function onConnections(connections: number, asked: Asked): Promise<number> {
  const begun = performance.now();
  await Promise.all(Array.from({ length: connections }, () => askOn(asked)));
  return performance.now() - begun;
}

function askOn({ port, next, status, expects }: Asked): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const ask = (): void => {
      const request = next();
      if (request !== undefined) return void socket.write(request);
      socket.destroy();
      resolve();
    };
    let text = '';
    socket.setEncoding('latin1');
    socket.on('connect', ask);
    socket.on('error', reject);
    socket.on('data', (piece: string) => {
      text += piece;
      const head = text.indexOf('\r\n\r\n');
      if (head === -1) return;
      const length = LENGTH.exec(text.slice(0, head))?.[1];
      if (length !== undefined && text.length < head + 4 + Number(length)) return;
      if (length === undefined || !text.startsWith(`HTTP/1.1 ${status}`) || !text.includes(expects))
        return reject(new Error(`A request was answered: ${text.slice(0, 400)}`));
      text = '';
      ask();
    });
  });
}
