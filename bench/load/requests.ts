import { connect } from 'node:net';
import { TOKEN } from '../systems/system.ts';
import { getRequest } from './frames.ts';
import type { Requests } from './load.ts';

const LENGTH = /content-length: (\d+)/i;

/** Asks again and again on a few kept connections; each has one request on its way. */
export async function countRequests({ port, path, connections, ms, expects }: Requests): Promise<{ requests: number; ms: number }> {
  const request = getRequest(path, TOKEN);
  const begun = performance.now();
  const end = begun + ms;
  const counts = await Promise.all(Array.from({ length: connections }, () => askUntil(port, request, end, expects)));
  return { requests: counts.reduce((sum, count) => sum + count, 0), ms: performance.now() - begun };
}

function askUntil(port: number, request: string, end: number, expects: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let answered = 0;
    let text = '';
    socket.setEncoding('latin1');
    socket.on('connect', () => socket.write(request));
    socket.on('error', reject);
    socket.on('data', (piece: string) => {
      text += piece;
      const head = text.indexOf('\r\n\r\n');
      if (head === -1) return;
      const length = LENGTH.exec(text.slice(0, head))?.[1];
      if (length !== undefined && text.length < head + 4 + Number(length)) return;
      if (length === undefined || !text.startsWith('HTTP/1.1 200') || !text.includes(expects))
        return reject(new Error(`A poll was answered: ${text.slice(0, 400)}`));
      text = '';
      answered += 1;
      if (performance.now() < end) return socket.write(request);
      socket.destroy();
      resolve(answered);
    });
  });
}
