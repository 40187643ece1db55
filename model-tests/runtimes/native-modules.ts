import { request as httpRequest, type ClientRequest } from 'node:http';
import WebSocket from 'ws';

/** What the native half of React Native is here: its modules by name, on Node's own sockets, and what they tell. */
export interface NativeModules {
  readonly modules: Readonly<Record<string, object>>;
  /** Where their events go; set by the realm that runs React Native's own sources. */
  emit: (type: string, payload: unknown) => void;
  /** Files of the device, by address. */
  readonly files: Map<string, string>;
  close(): void;
}

type Headers = Readonly<Record<string, string>>;
/** A part of a form, as React Native hands it to Android. */
interface Part {
  readonly headers: readonly (readonly [string, string])[];
  readonly string?: string;
  readonly uri?: string;
}
interface Body {
  readonly string?: string;
  readonly formData?: readonly Part[];
}

/** Stands in for Android's modules: `Networking`, `WebSocketModule`, `BlobModule`, `FileReaderModule`. */
export function createNativeModules(): NativeModules {
  const files = new Map<string, string>();
  const requests = new Map<number, ClientRequest>();
  const sockets = new Map<number, WebSocket>();
  const blobs = new Map<string, Buffer>();
  const listens = { addListener: () => undefined, removeListeners: () => undefined };
  const emit = (type: string, payload: unknown): void => native.emit(type, payload);

  function sendRequest(
    method: string,
    url: string,
    id: number,
    headers: readonly (readonly [string, string])[],
    data: Body | null,
    responseType: string,
  ): void {
    const { bytes, contentType } = bodyOf(data ?? {}, files);
    const sent = httpRequest(url, { method, headers: { ...Object.fromEntries(headers), ...contentType } }, (response) => {
      emit('didReceiveNetworkResponse', [id, response.statusCode, response.headers, url]);
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', () => undefined);
      response.on('close', () => {
        if (!requests.delete(id)) return;
        if (!response.complete) return emit('didCompleteNetworkResponse', [id, 'The connection was cut.', false]);
        emit('didReceiveNetworkData', [id, dataOf(Buffer.concat(chunks), responseType, String(response.headers['content-type']), id)]);
        emit('didCompleteNetworkResponse', [id, null, false]);
      });
    });
    requests.set(id, sent);
    sent.on('error', (error) => requests.delete(id) && emit('didCompleteNetworkResponse', [id, error.message, false]));
    sent.end(bytes);
  }

  function dataOf(bytes: Buffer, responseType: string, type: string, id: number): unknown {
    if (responseType === 'base64') return bytes.toString('base64');
    if (responseType !== 'blob') return bytes.toString();
    const blobId = `blob-${id}`;
    blobs.set(blobId, bytes);
    return { blobId, offset: 0, size: bytes.byteLength, type };
  }

  function connect(url: string, protocols: string[] | null, { headers }: { readonly headers: Headers }, id: number): void {
    const socket = new WebSocket(url, protocols ?? [], { headers });
    sockets.set(id, socket);
    socket.on('open', () => emit('websocketOpen', { id, protocol: socket.protocol }));
    // `ws` hands every message over as a Buffer unless told otherwise.
    socket.on('message', (message) => emit('websocketMessage', { id, type: 'text', data: (message as Buffer).toString() }));
    socket.on('error', (error) => sockets.delete(id) && emit('websocketFailed', { id, message: error.message }));
    socket.on('close', (code, reason) => {
      if (!sockets.delete(id)) return;
      if (code === 1006) emit('websocketFailed', { id, message: 'The connection was cut.' });
      else emit('websocketClosed', { id, code, reason: String(reason) });
    });
  }

  const native: NativeModules = {
    files,
    emit: () => undefined,
    modules: {
      Networking: {
        ...listens,
        sendRequest,
        abortRequest(id: number) {
          const sent = requests.get(id);
          requests.delete(id);
          sent?.destroy();
        },
        clearCookies: () => undefined,
      },
      WebSocketModule: {
        ...listens,
        connect,
        send: (text: string, id: number) => sockets.get(id)?.send(text),
        ping: (id: number) => sockets.get(id)?.ping(),
        close: (code: number, reason: string, id: number) => sockets.get(id)?.close(code, reason),
      },
      BlobModule: {
        getConstants: () => ({ BLOB_URI_SCHEME: 'content', BLOB_URI_HOST: 'blobs' }),
        addNetworkingHandler: () => undefined,
        addWebSocketHandler: () => undefined,
        removeWebSocketHandler: () => undefined,
        createFromParts(parts: readonly { readonly type: string; readonly data: string }[], id: string) {
          blobs.set(id, Buffer.from(parts.map(({ data }) => data).join('')));
        },
        release: (id: string) => blobs.delete(id),
      },
      FileReaderModule: {
        readAsText: async ({ blobId }: { readonly blobId: string }) => blobs.get(blobId)?.toString() ?? '',
        readAsDataURL: async ({ blobId }: { readonly blobId: string }) => `data:;base64,${blobs.get(blobId)?.toString('base64') ?? ''}`,
      },
      PlatformConstants: { getConstants: () => ({ Version: 34, isTesting: true, reactNativeVersion: { major: 0, minor: 0, patch: 0 } }) },
    },
    close() {
      native.emit = () => undefined;
      for (const sent of requests.values()) sent.destroy();
      for (const socket of sockets.values()) socket.terminate();
    },
  };
  return native;
}

/** What goes over the network; a form is put together by the native half, which reads the files. */
function bodyOf({ string, formData }: Body, files: ReadonlyMap<string, string>): { bytes: Buffer; contentType: Headers } {
  if (!formData) return { bytes: Buffer.from(string ?? ''), contentType: {} };
  const boundary = 'native-boundary';
  const parts = formData.map(({ headers, string: text, uri }) => {
    const content = text ?? files.get(uri ?? '');
    if (content === undefined) throw new Error(`No file at ${uri}.`);
    const head = headers.map(([name, value]) => `${name}: ${value}\r\n`);
    return `--${boundary}\r\n${head.join('')}\r\n${content}\r\n`;
  });
  return {
    bytes: Buffer.from(`${parts.join('')}--${boundary}--\r\n`),
    contentType: { 'content-type': `multipart/form-data; boundary=${boundary}` },
  };
}
