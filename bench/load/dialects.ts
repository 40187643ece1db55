import { getRequest, pong, textFrame, upgradeRequest } from './frames.ts';

/** How a viewer comes to be one. */
export interface Opening {
  readonly taskId: string;
  readonly token: string;
  /** From where it goes on; '' for the beginning. */
  readonly cursor: string;
  /** What a recovered connection of Socket.IO was called. */
  readonly session?: string;
}

/** What a viewer says to be shown a task: the first text, then an answer to each thing that it waits for. */
export interface Dialect {
  hello(opening: Opening): string;
  /** In their order: what is waited for, and what is said then. The viewer is one when the last was heard. */
  readonly steps: readonly { readonly hears: string; readonly says?: (opening: Opening) => Buffer }[];
  /** Said every ten seconds, so that a server that looks after its connections keeps this one while others are measured. */
  readonly sign?: Buffer;
}

/** What a client of a WebSocket says to be shown a task. */
export const subscribes = ({ taskId, cursor }: Opening): Buffer =>
  textFrame(JSON.stringify({ action: 'subscribe', taskId, ...(cursor !== '' && { lastEventId: cursor }) }));

const socketIoUpgrade = ({ taskId, token }: Opening): string =>
  upgradeRequest(`/socket.io/?EIO=4&transport=websocket&task=${taskId}`, token);

/** The protocols that viewers speak. */
export const dialects = {
  ws: {
    hello: ({ token }) => upgradeRequest('/api/v1/tasks/ws', token),
    steps: [{ hears: '\r\n\r\n', says: subscribes }, { hears: '"SUBSCRIPTION_CONFIRMED"' }],
    sign: pong,
  },
  /** Shown parts as well. */
  parts: {
    hello: ({ token }) => upgradeRequest('/api/v1/tasks/ws?extensions=parts', token),
    steps: [{ hears: '\r\n\r\n', says: subscribes }, { hears: '"SUBSCRIPTION_CONFIRMED"' }],
    sign: pong,
  },
  /** The same connection before it has subscribed. */
  partsLater: {
    hello: ({ token }) => upgradeRequest('/api/v1/tasks/ws?extensions=parts', token),
    steps: [{ hears: '\r\n\r\n' }],
  },
  sse: {
    hello: ({ taskId, token, cursor }) =>
      getRequest(`/api/v1/tasks/${taskId}/events/stream`, token, cursor === '' ? {} : { 'Last-Event-ID': cursor }),
    steps: [{ hears: 'text/event-stream' }],
  },
  poll: {
    hello: ({ taskId, token, cursor }) => getRequest(`/api/v1/tasks/${taskId}/events?afterEventId=${cursor}&waitTimeoutMs=60000`, token),
    steps: [],
  },
  socketIo: {
    hello: socketIoUpgrade,
    steps: [{ hears: '0{"sid"', says: () => textFrame('40') }, { hears: '40{' }],
  },
  // Whoever is recovered gets what was missed before the confirmation.
  socketIoAgain: {
    hello: socketIoUpgrade,
    steps: [{ hears: '0{"sid"', says: ({ session, cursor }) => textFrame(`40${JSON.stringify({ pid: session, offset: cursor })}`) }],
  },
} as const satisfies Readonly<Record<string, Dialect>>;

/** The name of a protocol. */
export type DialectName = keyof typeof dialects;
