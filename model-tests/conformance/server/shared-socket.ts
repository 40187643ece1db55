import { holds, present } from '../suite/claim.ts';
import { webSocket, type Frame, type SocketStream, type StreamOptions } from './streams.ts';
import type { ServerUnderTest } from './server-under-test.ts';

/** A WebSocket that was granted `multiplex`. */
export interface SharedSocket extends SocketStream {
  subscribe(taskId: string, lastEventId?: string): void;
  unsubscribe(taskId: string): void;
  /** What came for one task. */
  of(taskId: string): readonly Frame[];
  /** The same in short, without heartbeats: the ids of facts, the types of control frames, the codes of ends. */
  shortOf(taskId: string): readonly string[];
  /** Resolves once so many subscriptions of a task have ended, with their codes. */
  ends(taskId: string, count?: number): Promise<readonly number[]>;
}

export const CONFIRMED = 'SUBSCRIPTION_CONFIRMED';
export const ENDED = 'SUBSCRIPTION_ENDED';
export const endedBy = (code: number): string => `${ENDED} ${code}`;

const UNKNOWN = 'fedcba9876543210fedcba9876543210';
const known = new WeakMap<ServerUnderTest, Promise<string | undefined>>();

/** Says what is missing where the server does not grant the extension: it is asked once. */
export function withoutMultiplex(server: ServerUnderTest): Promise<string | undefined> {
  const answer = known.get(server) ?? ask(server);
  known.set(server, answer);
  return answer;
}

async function ask(server: ServerUnderTest): Promise<string | undefined> {
  // The grant comes by itself, and before anything else; a server without the extension refuses the task.
  const socket = webSocket(server, [{ action: 'subscribe', taskId: UNKNOWN }], { query: '?extensions=multiplex' });
  const first = await socket.until(() => true, 'a first frame').catch(() => undefined);
  socket.close();
  return first?.type === 'EXTENSIONS_GRANTED' ? undefined : 'the server does not grant the extension `multiplex`.';
}

/** Opens a socket that may show many tasks. Rejects where the first frame does not say so. */
export async function sharedSocket(server: ServerUnderTest, options: StreamOptions = {}): Promise<SharedSocket> {
  const socket = webSocket(server, [], { query: '?extensions=gap,multiplex', ...options });
  const grant = await socket.until(() => true, 'EXTENSIONS_GRANTED before anything was asked');
  holds(grant.type === 'EXTENSIONS_GRANTED', `the first frame was to be EXTENSIONS_GRANTED, and is ${JSON.stringify(grant)}`);
  const of = (taskId: string): Frame[] => socket.frames.filter((frame) => frame.taskId === taskId);
  const short = ({ type, eventId, code }: Frame): string =>
    type === ENDED ? endedBy(Number(code)) : type.startsWith('TASK_') ? present(eventId, 'the id of a fact') : type;
  return Object.assign(socket, {
    subscribe: (taskId: string, lastEventId?: string) => socket.send({ action: 'subscribe', taskId, lastEventId }),
    unsubscribe: (taskId: string) => socket.send({ action: 'unsubscribe', taskId }),
    of,
    shortOf: (taskId: string) =>
      of(taskId)
        .filter(({ type }) => type !== 'HEARTBEAT')
        .map(short),
    async ends(taskId: string, count = 1) {
      const all = (): Frame[] => of(taskId).filter(({ type }) => type === ENDED);
      await socket.until(() => all().length >= count, `end ${count} of the subscriptions of ${taskId}`);
      return all().map(({ code }) => Number(code));
    },
  });
}
