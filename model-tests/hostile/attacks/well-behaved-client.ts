import { WebSocket } from 'ws';

/** Latencies, in milliseconds. */
export interface Latencies {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** What a well-behaved client met since it was last asked. */
export interface ClientExperience {
  /** A create with its answer. */
  readonly calls: Latencies;
  /** A look at `/health`. */
  readonly health: Latencies;
  /** From the moment a handler says something until a viewer has it. */
  readonly facts: Latencies;
  /** Calls that were sent again after a network error or a 408, as any client would. */
  readonly retries: number;
  /** What was not as it should be. */
  readonly faults: readonly string[];
}

/** A well-behaved client: creates tasks one after the other, and watches one by WebSocket. */
export interface WellBehavedClient {
  /** What it met since the last time. */
  take(): ClientExperience;
  close(): Promise<void>;
}

const EVERY_MS = 20;

/** Begins. */
export async function startWellBehavedClient(url: string): Promise<WellBehavedClient> {
  const headers = { authorization: 'Bearer customer', 'content-type': 'application/json' };
  const create = async (clientRequestId: string, taskType: string): Promise<{ taskId: string; status: number }> => {
    const response = await fetch(`${url}/api/v1/tasks`, { method: 'POST', headers, body: JSON.stringify({ clientRequestId, taskType }) });
    const text = await response.text();
    return { ...(JSON.parse(text === '' ? '{}' : text) as { taskId: string }), status: response.status };
  };
  let [calls, health, facts, faults]: [number[], number[], number[], string[]] = [[], [], [], []];
  let [isOpen, retries] = [true, 0];
  const { taskId } = await create('watched', 'tick');
  const ws = new WebSocket(`${url.replace('http', 'ws')}/api/v1/tasks/ws`, { headers: { authorization: headers.authorization } });
  ws.on('open', () => ws.send(JSON.stringify({ action: 'subscribe', taskId })));
  ws.on('message', (data: Buffer) => {
    const fact = JSON.parse(data.toString()) as { type: string; payload: { message: string } };
    if (fact.type === 'TASK_MESSAGE') facts.push(Date.now() - Number(fact.payload.message));
  });
  ws.on('error', (error) => void faults.push(`socket: ${error.message}`));
  ws.on('close', (code) => void (isOpen && faults.push(`socket closed with ${code}`)));

  const calling = (async () => {
    for (let nth = 0; isOpen; nth += 1) {
      const at = performance.now();
      const once = () =>
        create(`call-${nth}`, 'echo').then(
          ({ status }) => (status === 408 ? 'late' : status),
          (error: Error) => error.message,
        );
      let answer = await once();
      for (let tries = 1; typeof answer === 'string' && tries < 4; tries += 1) {
        retries += 1;
        answer = await once();
      }
      calls.push(performance.now() - at);
      if (answer !== 201 && answer !== 200) faults.push(`create: ${answer}`);
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  })();

  const looking = (async () => {
    while (isOpen) {
      const at = performance.now();
      const body = await fetch(`${url}/health`)
        .then((response) => response.text())
        .catch((error: Error) => error.message);
      health.push(performance.now() - at);
      if (!body.includes('ok')) faults.push(`health: ${body}`);
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  })();

  return {
    take() {
      const met = { calls: latencies(calls), health: latencies(health), facts: latencies(facts), retries, faults };
      [calls, health, facts, retries, faults] = [[], [], [], 0, []];
      return met;
    },
    async close() {
      isOpen = false;
      await Promise.all([calling, looking]);
      ws.terminate();
    },
  };
}

function latencies(samples: readonly number[]): Latencies {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (share: number) =>
    Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN) * 10) / 10;
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}
