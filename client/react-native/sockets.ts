import { platformSockets, type SocketPort } from '../transports/socket.ts';

/** The constructor of React Native's WebSockets: they send headers. */
export type NativeWebSocketConstructor = new (
  url: string,
  protocols: string[],
  options: { readonly headers: Readonly<Record<string, string>> },
) => WebSocket;

/**
 * React Native's WebSockets, which send credentials as headers, whatever kind those are; a browser's send a bearer token as a subprotocol and
 * nothing else. Of a refused upgrade they show no status.
 */
export function nativeSockets(Constructor: NativeWebSocketConstructor): SocketPort {
  return {
    sendsHeaders: true,
    open(request, listener) {
      // `new` gives what the function returns.
      const WithHeaders = function (url: string, protocols: string[]): WebSocket {
        return new Constructor(url, protocols, { headers: request.headers });
      } as unknown as new (url: string, protocols?: string[]) => WebSocket;
      return platformSockets(WithHeaders).open(request, listener);
    },
  };
}
