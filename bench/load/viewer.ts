import { connect, type Socket } from 'node:net';
import type { Dialect, Opening } from './dialects.ts';

/** One buffer for all: what it holds is looked at before the next read. */
const shared = Buffer.allocUnsafe(1024 * 1024);

const SIGN_MS = 10_000;

/** One connection that watches a task. */
export class Viewer {
  /** Everything that comes in once the viewer is one; may be changed. */
  onBytes: (bytes: Buffer) => void = () => undefined;
  /** What came in before that, as text. */
  opening = '';
  closed = false;
  #socket: Socket | undefined;

  /** Resolves when the last step was heard. What came with it is passed on to `onBytes`. */
  open(port: number, dialect: Dialect, opening: Opening): Promise<void> {
    return new Promise((resolve, reject) => {
      const steps = [...dialect.steps];
      const hear = (bytes: Buffer): void => {
        if (steps.length === 0) return this.onBytes(bytes);
        this.opening += bytes.toString('latin1');
        let heardTo = 0;
        for (let step = steps[0]; step; step = steps[0]) {
          const at = this.opening.indexOf(step.hears, heardTo);
          if (at === -1) return;
          heardTo = at + step.hears.length;
          steps.shift();
          if (step.says) this.#socket?.write(step.says(opening));
        }
        resolve();
        const rest = this.opening.slice(heardTo);
        if (rest !== '') this.onBytes(Buffer.from(rest, 'latin1'));
      };
      const onread = {
        buffer: shared,
        callback: (length: number, buffer: Uint8Array) => {
          hear(Buffer.from(buffer.buffer, buffer.byteOffset, length));
          return true;
        },
      };
      const { sign } = dialect;
      const signs = sign && setInterval(() => void (steps.length === 0 && socket.write(sign)), SIGN_MS);
      const socket = connect({ port, host: '127.0.0.1', noDelay: true, onread });
      this.#socket = socket;
      socket.once('connect', () => {
        socket.write(dialect.hello(opening));
        if (steps.length === 0) resolve();
      });
      socket.on('error', reject);
      socket.once('close', () => {
        this.closed = true;
        clearInterval(signs);
        reject(new Error(`A connection was closed before it was a viewer; it had heard: ${this.opening.slice(0, 300)}`));
      });
    });
  }

  send(bytes: Buffer): void {
    this.#socket?.write(bytes);
  }

  close(): void {
    this.#socket?.destroy();
  }
}
