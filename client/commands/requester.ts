import { aborted, closed, TaskBridgeClientError } from '../errors.ts';
import { whenOpen } from '../gate.ts';
import type { ClientSettings } from '../options.ts';
import { join } from '../routes.ts';
import type { Credentials } from '../auth/credentials.ts';
import { parseObject, readText, refusedBy, retryAfterMs, toError } from './answer.ts';
import { createDeadline, rest } from './deadline.ts';

/** One request to the server. */
export interface CommandRequest {
  readonly method: 'GET' | 'POST';
  readonly route: string;
  /** JSON to send, or a form. Sent unchanged at every try. */
  readonly body?: object;
  readonly signal?: AbortSignal | undefined;
  /** Sent once, without another try or a refresh: the transport chart decides what comes next. */
  readonly isProbe?: boolean;
}

/** Sends commands: gate, credentials, time-outs and tries. */
export interface Requester {
  /** The body of the answer. Rejects with a `TaskBridgeClientError` only. */
  send(request: CommandRequest): Promise<{ readonly [key: string]: unknown }>;
}

/** Tries again on network errors, time-outs, 429 and 5xx with back-off; a 401 costs one refresh, not a try. */
export function createRequester(settings: ClientSettings, credentials: Credentials, clientSignal: AbortSignal): Requester {
  const { clock, chance, limits } = settings;

  async function send(request: CommandRequest): Promise<{ readonly [key: string]: unknown }> {
    const retriesMax = request.isProbe ? 0 : limits.commandRetriesMax;
    const turn = follow(request.signal, clientSignal);
    try {
      for (let retry = 0; ; retry += 1) {
        try {
          return await once(request, turn.signal);
        } catch (error) {
          if (!(error instanceof TaskBridgeClientError) || retry >= retriesMax || !isRetried(error)) throw error;
          const backoff = Math.min(limits.backoffBaseMs * 2 ** retry, limits.backoffMaxMs) * (1 + chance.fraction() / 5);
          await rest(clock, Math.max(backoff, error.retryAfterMs ?? 0), turn.signal);
        }
      }
    } finally {
      turn.release();
    }
  }

  async function once(request: CommandRequest, signal: AbortSignal): Promise<{ readonly [key: string]: unknown }> {
    for (let refreshed = false; ; refreshed = true) {
      await whenOpen(settings.gate, signal);
      const { headers, generation } = await credentials.authorize();
      const answer = await exchange(request, headers, signal);
      if (answer.ok) return answer.body;
      if (answer.error.status !== 401 || refreshed || request.isProbe || !credentials.refreshable) throw answer.error;
      await whenOpen(settings.gate, signal);
      await credentials.refresh(generation);
    }
  }

  type Answer =
    | { readonly ok: true; readonly body: { readonly [key: string]: unknown } }
    | { readonly ok: false; readonly error: TaskBridgeClientError };

  async function exchange(
    { method, route, body }: CommandRequest,
    authorization: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Answer> {
    const deadline = createDeadline(clock, limits.commandTimeoutMs, [signal]);
    const isForm = typeof FormData !== 'undefined' && body instanceof FormData;
    try {
      const response = await settings.fetch(join(settings.baseUrl, route), {
        method,
        headers: { accept: 'application/json', ...(body && !isForm && { 'content-type': 'application/json' }), ...authorization },
        ...(body && { body: isForm ? body : JSON.stringify(body) }),
        signal: deadline.signal,
        credentials: settings.cookies,
        // Credentials go to one origin only; a redirect could lead to another.
        redirect: 'error',
      });
      const text = await readText(response, limits.pageBytesMax);
      if (!response.ok) {
        const waitMs = retryAfterMs(response.headers.get('retry-after'), clock.now(), limits.retryAfterMaxMs);
        return { ok: false, error: toError(refusedBy(response.status, text, waitMs)) };
      }
      const parsed = parseObject(text);
      if (parsed) return { ok: true, body: parsed };
      throw new TaskBridgeClientError('INVALID_RESPONSE', `The answer (${response.status}) is no JSON object.`, {
        status: response.status,
      });
    } catch (cause) {
      if (cause instanceof TaskBridgeClientError) throw cause;
      if (deadline.signal.aborted) throw aborted(deadline.signal);
      throw new TaskBridgeClientError(
        'NETWORK_ERROR',
        `No answer from ${settings.baseUrl}: ${String((cause as Error | undefined)?.message ?? cause)}.`,
        {
          cause,
          retryable: true,
        },
      );
    } finally {
      deadline.release();
    }
  }

  return {
    send(request) {
      return clientSignal.aborted ? Promise.reject(closed('client')) : send(request);
    },
  };
}

function isRetried({ code, status }: TaskBridgeClientError): boolean {
  return code === 'NETWORK_ERROR' || code === 'TIMEOUT' || status === 429 || (status !== undefined && status >= 500);
}

function follow(...signals: readonly (AbortSignal | undefined)[]): { readonly signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const leaves = signals.flatMap((signal) => {
    if (!signal) return [];
    const onAbort = (): void => controller.abort(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort);
    return [() => signal.removeEventListener('abort', onAbort)];
  });
  return { signal: controller.signal, release: () => leaves.forEach((leave) => leave()) };
}
