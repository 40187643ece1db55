import { createOutbox, memoryOutbox, type Outbox, type OutboxOptions, type OutboxStore } from 'taskbridge/client/outbox';
import { createTaskBridgeClient, type Gate, type TaskBridgeClientOptions } from 'taskbridge/client/node';
import { onTestFinished } from 'vitest';
import { createScriptedServer, type ScriptedServer } from '../support/scripted-server.ts';

/** A gate that a test opens and closes. */
export interface HandGate extends Gate {
  set(open: boolean): void;
}

export function handGate(isOpen = true): HandGate {
  const listeners = new Set<(open: boolean) => void>();
  let open = isOpen;
  return {
    isOpen: () => open,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    set(next) {
      open = next;
      for (const listener of [...listeners]) listener(next);
    },
  };
}

/** One command as a server met it. */
export interface ReceivedCommand {
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** An outbox with a client of its own, as one page has them. Rests are a millisecond; nothing is tried twice by the client. */
export function openOutbox(
  baseUrl: string,
  options: Partial<OutboxOptions> & { readonly store: OutboxStore },
  clientOptions: Partial<TaskBridgeClientOptions> = {},
): Outbox {
  const { limits, ...rest } = clientOptions;
  const client = createTaskBridgeClient({ baseUrl, ...rest, limits: { commandRetriesMax: 0, ...limits } });
  const outbox = createOutbox(client, { ...options, limits: { restBaseMs: 1, restMaxMs: 2, ...options.limits } });
  onTestFinished(async () => {
    await outbox.close();
    await client.close();
  });
  return outbox;
}

/** A server on loopback that takes commands as the protocol says and remembers them. */
export async function takingServer(): Promise<ScriptedServer & { readonly met: ReceivedCommand[] }> {
  const server = await createScriptedServer();
  onTestFinished(() => server.close());
  const met: ReceivedCommand[] = [];
  server.script.command = (path, text) => {
    const body = JSON.parse(text || '{}') as ReceivedCommand['body'];
    met.push({ path, body });
    return answerTo(path, body);
  };
  return Object.assign(server, { met });
}

/** What a server says that takes everything. */
export function answerTo(path: string, body: ReceivedCommand['body']): [number, object] {
  const taskId = path.split('/')[4] ?? '';
  if (path.endsWith('/cancel')) return [202, { taskId, status: 'CANCELLATION_REQUESTED' }];
  if (path.endsWith('/actions')) return [202, { ...body, taskId, status: 'ACCEPTED' }];
  return [201, { taskId: `task-of-${String(body['clientRequestId'])}`, status: 'ACCEPTED', deduplicated: false }];
}

/** A store that fails when it is told to: before anything was changed, or after. */
export function brittle(
  store = memoryOutbox('ada'),
): OutboxStore & { failAt?: (keeps: string | undefined) => 'before' | 'after' | undefined } {
  const made: ReturnType<typeof brittle> = {
    name: store.name,
    keepsBinary: store.keepsBinary,
    read: () => store.read(),
    async change(decide) {
      let keeps: string | undefined;
      await store.change((stored) => {
        const change = decide(stored);
        keeps = (change.keep?.[0] as { state?: string } | undefined)?.state;
        if (made.failAt?.(keeps) === 'before') throw new Error('The disk is gone.');
        return change;
      });
      if (made.failAt?.(keeps) === 'after') throw new Error('The disk is gone.');
    },
  };
  return made;
}
