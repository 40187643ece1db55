import type { IncomingMessage } from 'node:http';
import WebSocket from 'ws';
import type { SocketPort } from '../transports/socket.ts';

const REFUSAL_CHARACTERS_MAX = 64 * 1024;

/** WebSockets of the `ws` package: headers go with the upgrade, and a refused one shows its status. */
export function nodeSockets(): SocketPort {
  return {
    sendsHeaders: true,
    open({ url, protocols, headers, frameBytesMax }, listener) {
      const socket = new WebSocket(url, [...protocols], { headers, maxPayload: frameBytesMax, perMessageDeflate: false });
      let isOver = false;
      let isRefused = false;
      socket.on('open', () => isOver || listener.opened());
      // `ws` hands every message over as a Buffer unless told otherwise.
      socket.on('message', (data, isBinary) => isOver || listener.frame(!isBinary && Buffer.isBuffer(data) ? data.toString() : undefined));
      socket.on('unexpected-response', (request, response) => {
        isRefused = true;
        void readRefusal(response).then((body) => {
          request.destroy();
          if (isOver) return;
          isOver = true;
          // Redirects are not followed: they are no word of our server's.
          listener.refused(response.statusCode ?? 0, body, response.headers['retry-after']);
        });
      });
      // A close always follows; without a listener the error would end the process.
      socket.on('error', () => undefined);
      socket.on('close', (code) => {
        if (isOver || isRefused) return;
        isOver = true;
        if (code === 1006) listener.cut();
        else listener.closed(code);
      });
      return {
        send: (text) => socket.send(text),
        close() {
          isOver = true;
          if (socket.readyState === WebSocket.OPEN) socket.close(1000);
          socket.terminate();
        },
      };
    },
  };
}

function readRefusal(response: IncomingMessage): Promise<string> {
  return new Promise((resolve) => {
    let body = '';
    response.setEncoding('utf8');
    response.on('data', (text: string) => {
      body += text;
      if (body.length > REFUSAL_CHARACTERS_MAX) response.destroy();
    });
    response.on('close', () => resolve(body));
  });
}
