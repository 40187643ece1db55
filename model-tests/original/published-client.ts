import { once } from 'node:events';
import { createParser } from 'eventsource-parser';
import { WebSocket } from 'ws';

/**
 * What the published clients put on the wire and what they make of the answer, with their strictness: a frame that they would count as
 * malformed is an error here at once. Source: the original's behaviour, client semantics.
 */
export interface PublishedClient {
  /** JSON as they send it; `token` other than their own only where a test says so. */
  post(path: string, body?: object): Promise<Answer>;
  poll(taskId: string, query?: Readonly<Record<string, string>>): Promise<Answer>;
  /** Subscribes with their first frame; resolves at the end of the task, the close, or once `heartbeats` idle frames came. */
  webSocket(taskId: string, options?: StreamOptions): Promise<Streamed>;
  eventStream(taskId: string, options?: StreamOptions): Promise<Streamed>;
}

export interface StreamOptions {
  readonly lastEventId?: string;
  /** Leaves once so many of them came. */
  readonly heartbeats?: number;
  readonly onEvent?: (event: PublishedEvent) => void;
  /** Sent instead of their first frame. */
  readonly firstFrame?: string;
  readonly token?: string;
}

export interface Answer {
  readonly status: number;
  readonly body: { readonly [key: string]: unknown };
}

export interface PublishedEvent {
  readonly type: string;
  readonly taskId: string;
  readonly eventId: string;
  readonly createdAt: string;
  readonly payload: { readonly [key: string]: unknown };
}

export interface Streamed {
  readonly events: readonly PublishedEvent[];
  readonly confirmation: { readonly [key: string]: unknown } | undefined;
  readonly heartbeats: number;
  /** The close code of a WebSocket; the status of an event stream, with `torn` where its body was cut. */
  readonly ending: number | 'torn' | 'left' | 'terminal';
}

const terminal = new Set(['TASK_COMPLETED', 'TASK_FAILED', 'TASK_CANCELLED']);

/** One client of the server at `baseUrl`. */
export function publishedClient(baseUrl: string, ownToken = 'ada'): PublishedClient {
  const authorization = (token = ownToken) => ({ authorization: `Bearer ${token}` });
  const request = async (path: string, init: RequestInit): Promise<Answer> => {
    const response = await fetch(`${baseUrl}/api/v1/tasks${path}`, { ...init, headers: { ...authorization(), ...init.headers } });
    return { status: response.status, body: parse(await response.text()) };
  };
  return {
    post: (path, body) =>
      request(path, {
        method: 'POST',
        ...(body && { headers: { 'content-type': 'application/json; charset=utf-8' }, body: JSON.stringify(body) }),
      }),
    poll: (taskId, query = {}) => request(`/${taskId}/events?${new URLSearchParams(query)}`, {}),

    async webSocket(taskId, { lastEventId, heartbeats: enough = Infinity, onEvent, firstFrame, token } = {}) {
      const socket = new WebSocket(`${baseUrl.replace('http', 'ws')}/api/v1/tasks/ws`, { headers: authorization(token) });
      const seen = { events: [] as PublishedEvent[], confirmation: undefined as Streamed['confirmation'], heartbeats: 0 };
      let malformed: Error | undefined;
      socket.on('message', (data: Buffer) => {
        try {
          const frame = parse(data.toString());
          if (frame['type'] === 'SUBSCRIPTION_CONFIRMED') seen.confirmation = frame;
          else if (frame['type'] === 'HEARTBEAT') seen.heartbeats += 1;
          else {
            const event = readEvent(frame, taskId);
            seen.events.push(event);
            onEvent?.(event);
          }
        } catch (error) {
          malformed ??= error as Error;
          socket.terminate();
        }
        if (seen.heartbeats >= enough) socket.terminate();
      });
      await once(socket, 'open');
      // All fields are written out, absent ones as null.
      socket.send(firstFrame ?? JSON.stringify({ action: 'subscribe', taskId, lastEventId: lastEventId ?? null }));
      const [code] = (await once(socket, 'close')) as [number];
      if (malformed) throw malformed;
      return { ...seen, ending: seen.heartbeats >= enough ? 'left' : code };
    },

    async eventStream(taskId, { lastEventId, heartbeats: enough = Infinity, onEvent, token } = {}) {
      const controller = new AbortController();
      const response = await fetch(`${baseUrl}/api/v1/tasks/${taskId}/events/stream`, {
        headers: {
          accept: 'text/event-stream',
          ...authorization(token),
          ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
        },
        signal: controller.signal,
      });
      const seen = { events: [] as PublishedEvent[], confirmation: undefined, heartbeats: 0 };
      const parser = createParser({
        onEvent({ id, data }) {
          // Their heartbeat has to be a whole event; it has no id, and moves no cursor.
          const event = readEvent(parse(data), taskId);
          if (event.type === 'HEARTBEAT') seen.heartbeats += 1;
          else {
            if (id !== event.eventId) throw new Error(`The id ${id} is not that of ${data}`);
            seen.events.push(event);
            onEvent?.(event);
          }
        },
      });
      if (!response.ok || !response.body) {
        await response.body?.cancel();
        return { ...seen, ending: response.status };
      }
      const decoder = new TextDecoder();
      try {
        for await (const chunk of response.body) {
          parser.feed(decoder.decode(chunk, { stream: true }));
          if (seen.events.some(({ type }) => terminal.has(type))) return { ...seen, ending: 'terminal' };
          if (seen.heartbeats >= enough) return { ...seen, ending: 'left' };
        }
        return { ...seen, ending: response.status };
      } catch (error) {
        if (error instanceof TypeError) return { ...seen, ending: 'torn' };
        throw error;
      } finally {
        controller.abort();
      }
    },
  };
}

function parse(text: string): { readonly [key: string]: unknown } {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`No object: ${text}`);
  // Checked above; its fields are looked at where they are read.
  return value as { readonly [key: string]: unknown };
}

function readEvent(frame: { readonly [key: string]: unknown }, ownTaskId: string): PublishedEvent {
  const { type, taskId, eventId, createdAt, payload } = frame;
  const isWhole =
    [type, taskId, eventId, createdAt].every((field) => typeof field === 'string' && field !== '') &&
    typeof payload === 'object' &&
    payload !== null &&
    taskId === ownTaskId &&
    !Number.isNaN(Date.parse(String(createdAt)));
  if (!isWhole) throw new Error(`Malformed to a published client: ${JSON.stringify(frame)}`);
  // All five fields were checked.
  return frame as unknown as PublishedEvent;
}
