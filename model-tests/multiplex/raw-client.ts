import { once } from 'node:events';
import type { WebSocket } from 'ws';
import { dial, type Host } from '../live/host.ts';

/** Any frame of a server. */
export interface Frame {
  readonly type: string;
  readonly taskId: string;
  readonly eventId?: string;
  readonly code?: number;
  readonly [key: string]: unknown;
}

/** A raw client that speaks `multiplex` by hand. */
export interface RawClient {
  readonly ws: WebSocket;
  /** All that came after the grant, in order. */
  readonly frames: readonly Frame[];
  /** The grants; one, where all is well. */
  readonly granted: readonly Frame[];
  readonly closed: Promise<number>;
  subscribe(taskId: string, lastEventId?: string): void;
  unsubscribe(taskId: string): void;
  /** What came for one task: the ids of its facts, the types of its control frames, the codes of its ends. */
  of(taskId: string): string[];
}

/** Opens a socket that asks for the extension. */
export async function openRawClient(host: Host, query = '?extensions=gap,multiplex'): Promise<RawClient> {
  const ws = dial(host, query);
  const frames: Frame[] = [];
  const granted: Frame[] = [];
  ws.on('error', () => undefined);
  // `ws` hands every message over as a Buffer unless told otherwise.
  ws.on('message', (data) => {
    const frame = JSON.parse((data as Buffer).toString()) as Frame;
    if (frame.type === 'EXTENSIONS_GRANTED') granted.push(frame);
    else frames.push(frame);
  });
  const closed = new Promise<number>((resolve) => ws.once('close', resolve));
  await once(ws, 'open');
  const send = (frame: object): void => ws.send(JSON.stringify(frame));
  return {
    ws,
    frames,
    granted,
    closed,
    subscribe: (taskId, lastEventId) => send({ action: 'subscribe', taskId, ...(lastEventId !== undefined && { lastEventId }) }),
    unsubscribe: (taskId) => send({ action: 'unsubscribe', taskId }),
    of: (taskId) =>
      frames
        .filter((frame) => frame.taskId === taskId)
        .map(({ type, eventId, code }) => eventId ?? (code === undefined ? type : `${type} ${code}`)),
  };
}

export const CONFIRMED = 'SUBSCRIPTION_CONFIRMED';
export const ended = (code: number): string => `SUBSCRIPTION_ENDED ${code}`;
