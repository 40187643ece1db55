import { TOKEN } from '../systems/system.ts';
import { dialects, subscribes } from './dialects.ts';
import type { LateJoins } from './load.ts';
import { Viewer } from './viewer.ts';

const PATIENCE_MS = 20_000;

/** Clients that have nothing join tasks in turn, one after the other. */
export async function joinLate({ port, taskIds, times, end }: LateJoins): Promise<number> {
  const took: number[] = [];
  for (let time = 0; time < times; time += 1) took.push(await joinOnce(port, taskIds[time % taskIds.length] ?? '', end));
  return took.toSorted((a, b) => a - b)[times >> 1] ?? Number.NaN;
}

async function joinOnce(port: number, taskId: string, end: string): Promise<number> {
  const viewer = new Viewer();
  const opening = { taskId, token: TOKEN, cursor: '' };
  await viewer.open(port, dialects.partsLater, opening);
  const last = Buffer.from(end).toString('latin1');
  const begun = performance.now();
  viewer.send(subscribes(opening));
  await new Promise<void>((resolve, reject) => {
    let bytes = 0;
    let tail = '';
    viewer.onBytes = (piece) => {
      bytes += piece.length;
      // The end of a text is at the end of what comes, but for what stands around it.
      tail = (tail + piece.toString('latin1', Math.max(0, piece.length - 256))).slice(-256);
      if (!tail.includes(last)) return;
      clearTimeout(late);
      resolve();
    };
    const late = setTimeout(
      () => reject(new Error(`A late join had ${bytes} bytes after ${PATIENCE_MS} ms, and not the last.`)),
      PATIENCE_MS,
    );
  });
  const took = performance.now() - begun;
  viewer.close();
  return took;
}
