import { expect } from 'vitest';
import { fakeSockets, fakeChannelsOf, type FakeSockets, type FakeChannel } from './fake-sockets.ts';

export const CONFIRMED = 'SUBSCRIPTION_CONFIRMED';
export const ENDED = 'SUBSCRIPTION_ENDED';
export const granted = { extensions: ['multiplex'] };
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Tasks on sockets whose other ends are the test. */
export interface SocketFixture {
  readonly port: FakeSockets;
  /** The passengers by their tasks. */
  readonly by: Record<string, FakeChannel>;
  /** A task comes. */
  come(...taskIds: string[]): void;
  leave(taskId: string): void;
  /** What the nth socket was sent, and what each task has heard, since it was last asked; and the sockets that are open. */
  happened(): Promise<Record<string, readonly string[]>>;
}

/** One step of a test. */
export type Act = (fixture: SocketFixture) => unknown;

/** What has to happen on one event in one phase of a socket, or of a task on it. */
export interface SocketRow {
  readonly name: string;
  readonly arrange: Act;
  readonly act: Act;
  /** `sent 0` is what went to the first socket, `a` what the task heard, `open` the sockets that are open afterwards. */
  readonly then: Readonly<Record<string, readonly string[]>>;
  /** What shows that it goes on as it should. */
  readonly next?: Act | undefined;
}

export function socketFixture(): SocketFixture {
  const port = fakeSockets();
  const ride = fakeChannelsOf(port);
  const by: Record<string, FakeChannel> = {};
  return {
    port,
    by,
    come: (...taskIds) => taskIds.forEach((taskId) => (by[taskId] = ride(taskId))),
    leave: (taskId) => by[taskId]?.socket.close(),
    async happened() {
      await turn();
      const sent = port.all.map((socket, index) => [`sent ${index}`, socket.sent.splice(0)] as const);
      // The test's own list, which the passenger fills.
      const heard = Object.entries(by).map(([taskId, channel]) => [taskId, (channel.heard as string[]).splice(0)] as const);
      const open = port.all.flatMap(({ isClosed }, index) => (isClosed ? [] : [String(index)]));
      return Object.fromEntries([...sent, ...heard, ['open', open] as const].filter(([, what]) => what.length > 0));
    },
  };
}

export const both =
  (...acts: Act[]): Act =>
  async (fixture) => {
    for (const act of acts) await act(fixture);
  };
/** In one turn, so that nothing else comes in between. */
export const atOnce =
  (...acts: Act[]): Act =>
  (fixture) =>
    acts.forEach((act) => void act(fixture));
export const come =
  (...taskIds: string[]): Act =>
  (fixture) =>
    fixture.come(...taskIds);
export const leave =
  (taskId: string): Act =>
  (fixture) =>
    fixture.leave(taskId);
export const opened: Act = ({ port }) => port.nth(0).listener.opened();
export const grant: Act = ({ port }) => port.nth(0).grant();
export const withhold: Act = ({ port }) => port.nth(0).say('EXTENSIONS_GRANTED', '', { extensions: ['gap'] });
export const say =
  (type: string, taskId: string, more?: object): Act =>
  ({ port }) =>
    port.nth(0).say(type, taskId, more);
export const fact = (taskId: string): Act => say('TASK_MESSAGE', taskId, { eventId: '1-1' });
export const cut: Act = ({ port }) => port.nth(0).listener.cut();
export const close =
  (code: number): Act =>
  ({ port }) =>
    port.nth(0).listener.closed(code);
export const expecting =
  (act: Act, wanted: Readonly<Record<string, readonly string[]>>): Act =>
  async (fixture) => {
    await act(fixture);
    expect(await fixture.happened()).toEqual(wanted);
  };

/** Where each event leads, phase by phase. */
export type Moves<Phase extends string, Event extends string> = Readonly<Record<Phase, Readonly<Partial<Record<Event, Phase>>>>>;

export async function trySocketRow({ act, then: wanted, next }: SocketRow, fixture: SocketFixture): Promise<void> {
  await act(fixture);
  expect(await fixture.happened()).toEqual(wanted);
  await next?.(fixture);
}
