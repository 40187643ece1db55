import { createServer, request } from 'node:http';
import { onLoopback } from '../support/loopback.ts';

/** What a front makes of the answers of the server behind it. */
export interface PlantedFault {
  /** Another path than the one that was asked for. */
  readonly path?: (path: string) => string;
  readonly status?: (status: number, method: string, path: string) => number;
  /** Other text than what came, piece by piece; a page or an event comes in one. */
  readonly text?: (text: string, path: string) => string;
}

/** A server that is right but for one fault: it hands requests on to a right one, but for upgrades. */
export async function faultyProxy(baseUrl: string, fault: PlantedFault): Promise<{ readonly baseUrl: string; close(): Promise<void> }> {
  const { hostname, port } = new URL(baseUrl);
  const front = createServer((asked, answer) => {
    const { method = 'GET', url = '/', headers } = asked;
    const behind = request({ hostname, port, method, path: fault.path?.(url) ?? url, headers }, (given) => {
      const { 'content-length': _, ...kept } = given.headers;
      answer.writeHead(fault.status?.(given.statusCode ?? 0, method, url) ?? given.statusCode ?? 0, kept);
      given.setEncoding('utf8');
      given.on('data', (text: string) => answer.write(fault.text?.(text, url) ?? text));
      given.on('end', () => answer.end());
      given.on('error', () => answer.destroy());
    });
    behind.on('error', () => answer.destroy());
    answer.on('close', () => behind.destroy());
    asked.pipe(behind);
  });
  const { url, close } = await onLoopback(front);
  return { baseUrl: url, close };
}
