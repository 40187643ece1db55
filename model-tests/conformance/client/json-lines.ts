import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { WireFact } from '../server/calls.ts';
import { lastWords, type ClientDriver, type DrivenClient, type DrivenClientOptions, type DrivenObservation } from './driver.ts';

/** What the suite writes to a client's process, one JSON text a line. `id` counts the requests; answers and events name it. */
export type DriverRequest =
  | ({ readonly do: 'open' } & DrivenClientOptions)
  | { readonly do: 'observe'; readonly client: number; readonly taskId: string; readonly lastEventId?: string }
  | { readonly do: 'continuity' | 'leave'; readonly observation: number }
  | { readonly do: 'act'; readonly client: number; readonly taskId: string; readonly action: Parameters<DrivenClient['act']>[1] }
  | { readonly do: 'refreshes' | 'close'; readonly client: number };

/** What the process writes: the answer to a request (`value` or `error`), or an event of an observation. */
export type DriverLine =
  | { readonly id: number; readonly value?: unknown; readonly error?: string }
  | { readonly observation: number; readonly fact: WireFact }
  | { readonly observation: number; readonly end: true | string };

const OUTPUT_ENDED = "The output of the client's process has ended.";

/**
 * A client in another process, whatever it is written in: requests go to its input, lines come from its output. When its output ends, so
 * does all that is asked of it and all that it observes, with an error: a process that died is told at once, not by a time limit a case.
 */
export function linesDriver(
  streams: { readonly input: Writable; readonly output: Readable },
  about: Pick<ClientDriver, 'transports' | 'restMs' | 'adjusts'>,
): ClientDriver {
  const waiting = new Map<number, (line: { value?: unknown; error?: string }) => void>();
  const followers = new Map<number, (line: Extract<DriverLine, { observation: number }>) => void>();
  let ids = 0;
  let hasEnded = false;
  const lines = createInterface({ input: streams.output });
  lines.on('line', (text) => {
    const line = JSON.parse(text) as DriverLine;
    if ('observation' in line) return followers.get(line.observation)?.(line);
    waiting.get(line.id)?.(line);
    waiting.delete(line.id);
  });
  lines.on('close', () => {
    hasEnded = true;
    for (const answered of waiting.values()) answered({ error: OUTPUT_ENDED });
    for (const [observation, follow] of followers) follow({ observation, end: OUTPUT_ENDED });
    waiting.clear();
  });
  // Written to a process that is gone: its output has ended as well, and tells it.
  streams.input.on('error', () => undefined);
  function ask<T>(request: DriverRequest): { readonly id: number; readonly answer: Promise<T> } {
    const id = (ids += 1);
    if (hasEnded) return { id, answer: Promise.reject(new Error(OUTPUT_ENDED)) };
    const answer = new Promise<T>((resolve, reject) => {
      waiting.set(id, ({ value, error }) => (error === undefined ? resolve(value as T) : reject(new Error(error))));
    });
    streams.input.write(`${JSON.stringify({ id, ...request })}\n`);
    return { id, answer };
  }

  function observe(client: number, taskId: string, options: { readonly lastEventId?: string }): DrivenObservation {
    const arrived: WireFact[] = [];
    let end: true | string | undefined;
    let wake: () => void = () => undefined;
    const { id, answer } = ask({ do: 'observe', client, taskId, ...options });
    answer.catch((error: unknown) => {
      end = String(error);
      wake();
    });
    followers.set(id, (line) => {
      if ('fact' in line) arrived.push(line.fact);
      else end ??= line.end;
      wake();
    });
    return {
      async *[Symbol.asyncIterator]() {
        for (;;) {
          const next = arrived.shift();
          if (next) yield next;
          else if (end === true) return;
          else if (end !== undefined) throw new Error(end);
          else await new Promise<void>((resolve) => (wake = resolve));
        }
      },
      continuity: () => ask<'resumed' | 'gap' | 'reset'>({ do: 'continuity', observation: id }).answer,
      // Nothing to leave where the process is gone.
      close: () => void ask({ do: 'leave', observation: id }).answer.catch(() => undefined),
    };
  }

  const { transports, restMs, adjusts = [] } = about;
  return {
    transports,
    restMs,
    adjusts,
    async open(options) {
      const { id: client, answer } = ask({ do: 'open', ...options });
      await answer;
      return {
        observe: (taskId, how = {}) => observe(client, taskId, how),
        act: (taskId, action) => ask<{ status: string }>({ do: 'act', client, taskId, action }).answer,
        refreshes: () => ask<number>({ do: 'refreshes', client }).answer,
        close: () => ask<void>({ do: 'close', client }).answer,
      };
    },
  };
}

/** The other side: lets requests that come in lines drive a client of this process, until the input ends. */
export async function serveLines(driver: ClientDriver, input: Readable, output: Writable): Promise<void> {
  const clients = new Map<number, DrivenClient>();
  const observations = new Map<number, DrivenObservation>();
  const say = (line: DriverLine): void => void output.write(`${JSON.stringify(line)}\n`);
  const known = <T>(map: Map<number, T>, id: number): T => {
    const found = map.get(id);
    if (!found) throw new Error(`There is nothing with the id ${id}.`);
    return found;
  };
  async function follow(id: number, observation: DrivenObservation): Promise<void> {
    try {
      for await (const fact of observation) say({ observation: id, fact });
      say({ observation: id, end: true });
    } catch (error) {
      say({ observation: id, end: lastWords(error) });
    }
  }
  async function obey(id: number, request: DriverRequest): Promise<unknown> {
    switch (request.do) {
      case 'open': {
        const { do: _, ...options } = request;
        return void clients.set(id, await driver.open(options));
      }
      case 'observe': {
        const { taskId, lastEventId } = request;
        const observation = known(clients, request.client).observe(taskId, lastEventId === undefined ? {} : { lastEventId });
        observations.set(id, observation);
        return void follow(id, observation);
      }
      case 'continuity':
        return known(observations, request.observation).continuity();
      case 'leave':
        return known(observations, request.observation).close();
      case 'act':
        return known(clients, request.client).act(request.taskId, request.action);
      case 'refreshes':
        return known(clients, request.client).refreshes();
      case 'close':
        return known(clients, request.client).close();
    }
  }
  const lines = createInterface({ input });
  lines.on('line', (text) => {
    const { id, ...request } = JSON.parse(text) as DriverRequest & { readonly id: number };
    obey(id, request).then(
      (value) => say({ id, ...(value !== undefined && { value }) }),
      (error: unknown) => say({ id, error: String(error) }),
    );
  });
  await once(lines, 'close');
  await driver.close?.();
}
