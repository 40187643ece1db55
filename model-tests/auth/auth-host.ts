import { createServer, type IncomingMessage } from 'node:http';
import Koa from 'koa';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { inProcess, type Handler } from '../../adapters/in-process/index.ts';
import { memoryStore } from '../../adapters/memory/index.ts';
import type { Fact } from '../../machines/wire/index.ts';
import { createTaskBridge, type TaskBridgeOptions } from '../../server/index.ts';
import { eventually } from '../support/eventually.ts';
import { onLoopback } from '../support/loopback.ts';

/** What a caller was answered. */
export interface Answer {
  readonly status: number;
  readonly code?: string;
  readonly message?: string;
  readonly retryAfter?: string;
  readonly body: unknown;
}

/** A real bridge behind a real server, asked with whatever credentials. */
export interface SecuredHost {
  readonly url: string;
  readonly logged: readonly string[];
  /** `token` is sent as `Authorization: Bearer`. */
  call(token: string | undefined, method: string, path: string, body?: object): Promise<Answer>;
  /** The id of the question that a task of type `ask` asks, read from its log whoever may see it. */
  question(taskId: string): Promise<string>;
  /** Creates a task and gives its id. */
  create(token: string, taskType?: string): Promise<string>;
  /** Upgrades as a browser does, with the token in a subprotocol; 101 where it is taken. */
  upgrade(token: string | undefined): Promise<Answer>;
  /** One request and one upgrade: what is answered to both, where it is the same. */
  both(token: string | undefined): Promise<Answer>;
}

const ask: Handler = async (task) => {
  const { actionType } = await task.suspend('q', { reasonCode: 'Q', allowedActions: ['yes', 'a2ui_action'] });
  return actionType;
};

/** Starts one; it is closed when the test has finished. Tasks of type `ask` ask one question. */
export async function securedHost({
  store = memoryStore(),
  ...options
}: Pick<TaskBridgeOptions, 'auth'> & Partial<TaskBridgeOptions>): Promise<SecuredHost> {
  const logged: string[] = [];
  const log = (message: string) => void logged.push(message);
  const bridge = createTaskBridge({
    store,
    executor: inProcess({ ask, work: async () => 1 }),
    logger: { warn: log, error: log },
    ...options,
  });
  const app = new Koa();
  app.silent = true;
  app.use(bridge.middleware());
  const answer = app.callback();
  const server = createServer((request, response) => void answer(request, response));
  server.on('upgrade', bridge.upgrade);
  await bridge.start();
  const { url, close } = await onLoopback(server);
  onTestFinished(async () => {
    await bridge.close();
    await close();
  });

  async function call(token: string | undefined, method: string, path: string, body?: object): Promise<Answer> {
    const response = await fetch(`${url}/api/v1/tasks${path}`, {
      method,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    return answerOf(response.status, response.headers.get('retry-after') ?? undefined, await response.text());
  }
  function upgrade(token: string | undefined): Promise<Answer> {
    const protocols = ['taskbridge.v1', ...(token === undefined ? [] : [`bearer.${Buffer.from(token).toString('base64url')}`])];
    const socket = new WebSocket(`${url.replace('http', 'ws')}/api/v1/tasks/ws`, protocols);
    return new Promise((resolve, reject) => {
      socket.once('open', () => resolve({ status: 101, body: undefined }));
      socket.once('error', reject);
      socket.once('unexpected-response', (_request, response) => void refusal(response).then(resolve, reject));
    });
  }
  return {
    url,
    logged,
    call,
    upgrade,
    async question(taskId) {
      let id: string | undefined;
      await eventually(async () => {
        const page = await store.read(taskId, 1, { facts: 10, bytes: 1e6 });
        const facts = (page?.entries ?? []).map(({ bytes }) => JSON.parse(Buffer.from(bytes).toString()) as Fact);
        for (const fact of facts) if (fact.type === 'TASK_SUSPENDED') id = fact.payload.suspendId;
        return id !== undefined;
      });
      return id ?? '';
    },
    async create(token, taskType = 'ask') {
      const { status, body } = await call(token, 'POST', '', { clientRequestId: 'r', taskType });
      if (status !== 201) throw new Error(`The task was not created: ${status} ${JSON.stringify(body)}`);
      return (body as { taskId: string }).taskId;
    },
    async both(token) {
      // No task has this id: whoever is known hears 404.
      const asked = await call(token, 'GET', `/${'0'.repeat(32)}`);
      const upgraded = await upgrade(token);
      const same = asked.status === 404 ? upgraded.status === 101 : asked.status === upgraded.status && asked.message === upgraded.message;
      if (!same) throw new Error(`Not the same: ${JSON.stringify({ asked, upgraded })}`);
      return asked;
    },
  };
}

async function refusal(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return answerOf(response.statusCode ?? 0, response.headers['retry-after'], Buffer.concat(chunks).toString());
}

function answerOf(status: number, retryAfter: string | undefined, text: string): Answer {
  const body = JSON.parse(text) as { readonly code?: string; readonly message?: string };
  const { code, message } = body;
  return {
    status,
    ...(code !== undefined && { code }),
    ...(message !== undefined && { message }),
    ...(retryAfter !== undefined && { retryAfter }),
    body,
  };
}
