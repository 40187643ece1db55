import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * Tells a client that waits for `100 Continue` to send its body, now that it is known who it is. Only where the host's server leaves that to us, which
 * it does by a listener for `checkContinue`: else Node has said so already.
 */
export function continueBody(req: IncomingMessage, res: ServerResponse): void {
  if (req.httpVersionMajor > 1 || req.headers.expect?.toLowerCase() !== '100-continue') return;
  const { server } = req.socket as { readonly server?: unknown };
  if (server instanceof EventEmitter && server.listenerCount('checkContinue') > 0) res.writeContinue();
}
