import type { Socket } from 'node:net';

/** Calls back with each line that comes in, parsed as JSON. */
export function onLines(socket: Socket, callback: (line: unknown) => void): void {
  let rest = '';
  socket.setEncoding('utf8');
  socket.setNoDelay(true);
  socket.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) callback(JSON.parse(line));
  });
}
