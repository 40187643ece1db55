import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { Duplex } from 'node:stream';
import { onTestFinished } from 'vitest';
import { onLoopback } from '../support/loopback.ts';

/** What a server calls for an upgrade. */
export type Upgrade = (req: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** Serves routes of a host's own; closed when the test has finished. */
export async function serveOwn(listener: RequestListener, onUpgrade?: Upgrade): Promise<number> {
  const server = createServer(listener);
  if (onUpgrade) server.on('upgrade', onUpgrade);
  const { port, close } = await onLoopback(server);
  onTestFinished(close);
  return port;
}

/** Who sends a request: whoever is named, or ann. */
export const subjectOf = ({ headers }: IncomingMessage): string => headers.authorization ?? 'ann';
