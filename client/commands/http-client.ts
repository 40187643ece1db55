import { abortWith, abortReason, onAbort } from '../abort.ts';
import type { CallContext, Credentials, RefreshOutcome } from '../auth/credentials.ts';
import { aborted, closed, TaskBridgeClientError } from '../errors.ts';
import { whenOpen } from '../gate.ts';
import type { ClientSettings } from '../options.ts';
import { join } from '../routes.ts';
import { parseObject, readText, refusedBy, toError } from './answer.ts';
import { createDeadline, rest, unlessAborted } from './deadline.ts';
import type { Upload, UploadListener } from './upload.ts';

/** One request to the server. */
export interface CommandRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly route: string;
  readonly query?: Readonly<Record<string, string>>;
  /** JSON, sent unchanged at every try. */
  readonly body?: object;
  /** A form with files, instead of a body. */
  readonly upload?: Upload;
  readonly signal?: AbortSignal | undefined;
  readonly context?: CallContext | undefined;
  /** The fields of the answer that must be text: without them it is nobody's word. */
  readonly expects: readonly string[];
  /** The one that must be a list. */
  readonly list?: string;
  /** What stands for fields that another server has left out. */
  readonly defaults?: object;
  /**
   * In place of the client's `commandRetriesMax`. With 0 it is sent once, without another try or a refresh: the transport chart decides what comes next. With `Infinity`
   * its signal alone ends the tries.
   */
  readonly retriesMax?: number;
}

/** Sends commands: gate, credentials, time-outs and tries. */
export interface HttpClient {
  /** The body of the answer. Rejects with a `TaskBridgeClientError` only. */
  send<T>(request: CommandRequest): Promise<T>;
}

type Answer =
  { readonly ok: true; readonly body: { readonly [key: string]: unknown } } | { readonly ok: false; readonly error: TaskBridgeClientError };

/**
 * Tries again on network errors, time-outs, credentials that cannot be had, 408, 425, 429, 5xx and answers without the protocol's form (a proxy's)
 * with back-off, or on what the host's classifier says; a 401 costs one refresh, not a try, and is final where that gives none. What another network
 * finds under way is sent again at once, and costs no try either. What can be sent only once is.
 */
export function createHttpClient(
  settings: ClientSettings,
  credentialsOf: (context: CallContext | undefined) => Credentials,
  clientSignal: AbortSignal,
): HttpClient {
  const { clock, limits, gate } = settings;

  async function send(request: CommandRequest): Promise<{ readonly [key: string]: unknown }> {
    const retriesMax = isOnce(request) ? 0 : (request.retriesMax ?? limits.commandRetriesMax);
    const call = new AbortController();
    const leaves = [clientSignal, request.signal].map((signal) => onAbort(signal, () => abortWith(call, abortReason(signal))));
    try {
      for (let retry = 0; ; retry += 1) {
        try {
          return await once(request, call.signal);
        } catch (error) {
          if (!(error instanceof TaskBridgeClientError) || retry >= retriesMax || !isRetried(error, settings)) throw error;
          await rest(clock, Math.max(settings.backoffMs(retry), error.retryAfterMs ?? 0), call.signal);
        }
      }
    } finally {
      for (const leave of leaves) leave();
    }
  }

  async function once(request: CommandRequest, signal: AbortSignal): Promise<{ readonly [key: string]: unknown }> {
    const credentials = credentialsOf(request.context);
    for (let refreshed = false; ; refreshed = true) {
      const exchanged = await exchange(settings, credentials, request, signal);
      if (!exchanged) return once(request, signal);
      const { answer, generation } = exchanged;
      if (answer.ok) return answer.body;
      if (answer.error.status !== 401 || refreshed || isOnce(request) || !credentials.refreshable) throw answer.error;
      await whenOpen(gate, signal);
      if ((await refresh(credentials, generation, signal)) === 'none') throw answer.error;
    }
  }

  async function refresh(credentials: Credentials, generation: number, signal: AbortSignal): Promise<RefreshOutcome> {
    const deadline = createDeadline(clock, limits.commandTimeoutMs, [signal]);
    try {
      return await credentials.refresh(generation, deadline.signal);
    } finally {
      deadline.release();
    }
  }

  return {
    send<T>(request: CommandRequest) {
      // Checked as far as we rely on it; enums stay open, since newer servers may know more values.
      return clientSignal.aborted ? Promise.reject(closed('client')) : (send(request) as Promise<T>);
    },
  };
}

/**
 * One request, one answer: all of it within the time of one try, whatever the host's own functions do. Undefined where the network changed meanwhile:
 * the connection may be dead without a word. A form goes on, which would begin at 0 again.
 */
async function exchange(
  settings: ClientSettings,
  credentials: Credentials,
  request: CommandRequest,
  signal: AbortSignal,
): Promise<{ readonly answer: Answer; readonly generation: number } | undefined> {
  const { clock, limits, baseUrl, gate, network } = settings;
  await whenOpen(gate, signal);
  const change = new AbortController();
  const deadline = createDeadline(clock, limits.commandTimeoutMs, [signal, change.signal]);
  const leave = request.upload ? () => undefined : network.subscribe(() => change.abort());
  // Before whoever aborts goes on: nothing of a closed client is left.
  const forget = onAbort(deadline.signal, leave);
  // While an upload goes on, there is nothing to answer yet.
  const onProgress: UploadListener = (progress) => {
    deadline.extend();
    request.upload?.onProgress?.(progress);
  };
  try {
    const { headers, generation } = await credentials.authorize(deadline.signal);
    const answer = await unlessAborted(ask(settings, request, headers, deadline.signal, onProgress), deadline.signal);
    return { answer, generation };
  } catch (cause) {
    if (change.signal.aborted) return undefined;
    if (cause instanceof TaskBridgeClientError) throw cause;
    if (deadline.signal.aborted) throw aborted(deadline.signal);
    const message = `No answer from ${baseUrl}: ${String((cause as Error | undefined)?.message ?? cause)}.`;
    throw new TaskBridgeClientError('NETWORK_ERROR', message, { cause, retryable: true });
  } finally {
    forget();
    leave();
    deadline.release();
  }
}

async function ask(
  settings: ClientSettings,
  request: CommandRequest,
  authorization: Readonly<Record<string, string>>,
  signal: AbortSignal,
  onProgress: UploadListener,
): Promise<Answer> {
  const response = await post(settings, request, authorization, signal, onProgress);
  const text = await readText(response, settings.limits.pageBytesMax);
  if (!response.ok) return { ok: false, error: toError(refusedBy(settings, response.status, text, response.headers.get('retry-after'))) };
  return { ok: true, body: readBody(settings, request, response.status, text) };
}

/** Sees that what makes the answer usable is text; other servers may leave out the rest. What is no answer of ours is a proxy's, and passes. */
function readBody(
  { origin }: ClientSettings,
  { expects, list, defaults = {} }: CommandRequest,
  status: number,
  text: string,
): { readonly [key: string]: unknown } {
  // What is removed leaves nothing to be said.
  const body = status === 204 && expects.length === 0 && list === undefined ? {} : parseObject(text);
  const missing = expects.find((name) => typeof body?.[name] !== 'string') ?? (Array.isArray(body?.[list ?? '']) ? undefined : list);
  if (!body || missing !== undefined) {
    const what = body ? `has no ${missing === list ? 'list' : 'text'} "${missing}"` : `(${status}) is no JSON object`;
    throw new TaskBridgeClientError('INVALID_RESPONSE', `The answer ${what}.`, { status, retryable: true });
  }
  origin.hasSpoken = true;
  // Another server may leave out what need not be said.
  const left = Object.entries(defaults).filter(([name]) => body[name] == null);
  return { ...body, ...Object.fromEntries(left) };
}

async function post(
  { fetch, forms, cookies, baseUrl }: ClientSettings,
  { method, route, query, body, upload }: CommandRequest,
  authorization: Readonly<Record<string, string>>,
  signal: AbortSignal,
  onProgress: UploadListener,
): Promise<Response> {
  const url = join(baseUrl, route, query);
  const headers = { accept: 'application/json', ...authorization };
  const common = { method, signal, credentials: cookies } as const;
  if (!upload) {
    if (!body) return fetch(url, { ...common, headers });
    return fetch(url, { ...common, headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) });
  }
  const opened = await upload.open(onProgress);
  if ('stream' in opened) {
    // `duplex` is asked for by every fetch that takes a stream, and missing in the DOM's types.
    const streamed = { ...common, headers: { ...headers, 'content-type': opened.contentType }, body: opened.stream, duplex: 'half' };
    return fetch(url, streamed as RequestInit);
  }
  if (upload.onProgress && forms) return forms({ url, headers, form: opened.form, withCookies: cookies === 'include', signal, onProgress });
  return fetch(url, { ...common, headers, body: opened.form });
}

/** A probe is the chart's, a bare stream is gone. */
function isOnce({ retriesMax, upload }: CommandRequest): boolean {
  return retriesMax === 0 || upload?.isRepeatable === false;
}

function isRetried(error: TaskBridgeClientError, { classify }: ClientSettings): boolean {
  const verdict = classify?.(error);
  return verdict ? verdict === 'retry' : error.retryable;
}
