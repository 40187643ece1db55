import { TOKEN, type BenchedSystem } from '../systems/system.ts';
import { RpcClient } from '../rpc/client.ts';
import { dialects, type DialectName, type Opening } from './dialects.ts';
import type { Load, Reconnection } from './load.ts';
import { FactCounter } from './fact-scanner.ts';
import { Viewer } from './viewer.ts';

const PATIENCE_MS = 20_000;

/** Opens clients at once with a cursor each; resolves when each has what it missed. */
async function comeBack(port: number, dialect: DialectName, openings: readonly Opening[], missed: number): Promise<number> {
  const begun = performance.now();
  const viewers = openings.map(() => new Viewer());
  await Promise.all(
    viewers.map(
      (viewer, i) =>
        new Promise<void>((resolve, reject) => {
          const counter = new FactCounter();
          let had = 0;
          viewer.onBytes = (bytes) => {
            had += counter.count(bytes);
            if (had === missed) resolve();
            else if (had > missed) reject(new Error(`A client that missed ${missed} facts was sent ${had}.`));
          };
          setTimeout(() => reject(new Error(`A client had ${had} of ${missed} facts after ${PATIENCE_MS} ms.`)), PATIENCE_MS).unref();
          viewer.open(port, dialects[dialect], openings[i] as Opening).catch(reject);
        }),
    ),
  );
  const took = performance.now() - begun;
  for (const viewer of viewers) viewer.close();
  return took;
}

/** Clients with a cursor come back. */
export function resume({ dialect, port, taskId, cursor, clients, missed }: Reconnection): Promise<number> {
  return comeBack(
    port,
    dialect,
    Array.from({ length: clients }, () => ({ taskId, token: TOKEN, cursor })),
    missed,
  );
}

const SESSION = /"pid":"([^"]+)"/;
/** Socket.IO puts the place in its stream behind the arguments of an event. */
const OFFSET = /,"(\d+-\d+)"\]/g;

/** Clients of Socket.IO are there and hear one fact, which tells them their place; they are cut, miss facts, and come back. */
export async function recover({ port, control, taskId, clients, missed }: Parameters<Load['recover']>[0]): Promise<number> {
  const system = await RpcClient.connect<BenchedSystem>(control);
  const viewers = Array.from({ length: clients }, () => new Viewer());
  const places: string[] = [];
  await Promise.all(viewers.map((viewer) => viewer.open(port, dialects.socketIo, { taskId, token: TOKEN, cursor: '' })));
  const told = Promise.all(
    viewers.map(
      (viewer, i) =>
        new Promise<void>((resolve) => {
          viewer.onBytes = (bytes) => {
            const [offset] = [...bytes.toString('latin1').matchAll(OFFSET)].map(([, place]) => place);
            if (offset === undefined) return;
            places[i] = offset;
            resolve();
          };
        }),
    ),
  );
  system.tell('publish', { taskId, count: 1 });
  await told;
  for (const viewer of viewers) viewer.close();
  // The server has to notice first, and to write down the sessions.
  await new Promise((resolve) => setTimeout(resolve, 500));
  await system.ask('fill', { taskId, count: missed });
  const openings = viewers.map((viewer, i) => {
    const session = SESSION.exec(viewer.opening)?.[1];
    if (session === undefined) throw new Error(`No session in ${viewer.opening}`);
    return { taskId, token: TOKEN, cursor: places[i] ?? '', session };
  });
  system.close();
  return comeBack(port, 'socketIoAgain', openings, missed);
}
