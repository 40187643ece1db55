import { describe, expect, test } from 'vitest';
import { fakeSockets, fakeChannelsOf, type FakeSockets, type FakeChannel } from './fake-sockets.ts';

const CONFIRMED = 'SUBSCRIPTION_CONFIRMED';
const ENDED = 'SUBSCRIPTION_ENDED';
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Tasks that share the first socket, each confirmed. */
async function sharing(
  ...taskIds: string[]
): Promise<{ port: FakeSockets; ride: ReturnType<typeof fakeChannelsOf>; riders: FakeChannel[] }> {
  const port = fakeSockets();
  const ride = fakeChannelsOf(port);
  const riders = taskIds.map((taskId) => ride(taskId));
  port.nth(0).listener.opened();
  port.nth(0).grant();
  for (const taskId of taskIds) port.nth(0).say(CONFIRMED, taskId, { extensions: ['multiplex'] });
  await turn();
  for (const { heard } of riders) expect((heard as string[]).splice(0)).toEqual(['opened', `frame ${CONFIRMED}`]);
  port.nth(0).sent.length = 0;
  return { port, ride, riders };
}

describe('the first task of an address', () => {
  test('opens a socket, subscribes, and the others wait for the grant', async () => {
    const port = fakeSockets();
    const ride = fakeChannelsOf(port);
    const [a, b] = [ride('a'), ride('b')];
    expect(port.all).toHaveLength(1);
    port.nth(0).listener.opened();
    expect([port.nth(0).sent, a.heard, b.heard]).toEqual([['+a'], ['opened'], []]);
    port.nth(0).grant();
    const c = ride('c');
    await turn();
    expect([port.nth(0).sent, b.heard, c.heard]).toEqual([['+a', '+b', '+c'], ['opened'], ['opened']]);
  });

  test('tells by its confirmation, too, that the server shares', () => {
    const port = fakeSockets();
    const ride = fakeChannelsOf(port);
    const [a, b] = [ride('a'), ride('b')];
    port.nth(0).listener.opened();
    port.nth(0).say(CONFIRMED, 'a', { extensions: ['gap', 'multiplex'] });
    expect([a.heard, b.heard]).toEqual([['opened', `frame ${CONFIRMED}`], ['opened']]);
    expect(port.all).toHaveLength(1);
  });

  test.each([[undefined], [['gap']], ['multiplex'], [{ includes: 1 }]])(
    'shows that the server shares nothing (extensions %j): each other one opens its own at once, also later ones',
    (extensions) => {
      const port = fakeSockets();
      const ride = fakeChannelsOf(port);
      const first = ride('a');
      ride('b');
      ride('c');
      port.nth(0).listener.opened();
      port.nth(0).say(CONFIRMED, 'a', { extensions });
      expect(first.heard).toEqual(['opened', `frame ${CONFIRMED}`]);
      ride('d');
      expect(port.all.map(({ request }) => request.taskId)).toEqual(['a', 'b', 'c', 'd']);
      // On its own socket everything is for it, whatever it is.
      for (const text of ['nonsense', undefined, '{"type":"SUBSCRIPTION_ENDED","taskId":"x"}']) port.nth(0).listener.frame(text);
      expect(first.heard.slice(2)).toEqual(['frame nonsense', 'binary', `frame ${ENDED}`]);
    },
  );

  test('waits for nobody where the server shares nothing, but goes on a shared socket where there is one', async () => {
    const port = fakeSockets();
    const ride = fakeChannelsOf(port);
    ride('a');
    port.nth(0).listener.opened();
    port.nth(0).say(CONFIRMED, 'a');
    ride('b');
    // Another node, which knows the extension.
    port.nth(1).listener.opened();
    port.nth(1).grant();
    ride('c');
    await turn();
    expect([port.all.length, port.nth(1).sent]).toEqual([2, ['+b', '+c']]);
  });

  test('that is closed for what it asked hears so alone; the others go on with the next', () => {
    const port = fakeSockets();
    const ride = fakeChannelsOf(port);
    const [a, b, c] = [ride('a'), ride('b'), ride('c')];
    port.nth(0).listener.opened();
    port.nth(0).listener.closed(1008);
    expect([a.heard, b.heard, c.heard]).toEqual([['opened', 'closed 1008'], [], []]);
    expect(port.all).toHaveLength(2);
    port.nth(1).listener.opened();
    port.nth(1).grant();
    expect([port.nth(1).sent, b.heard, c.heard]).toEqual([['+b', '+c'], ['opened'], ['opened']]);
  });

  test.each(['before', 'after'] as const)('that leaves %s the socket opens keeps nobody from it', (when) => {
    const port = fakeSockets();
    const ride = fakeChannelsOf(port);
    const [a, b] = [ride('a'), ride('b')];
    if (when === 'before') a.socket.close();
    port.nth(0).listener.opened();
    if (when === 'after') a.socket.close();
    port.nth(0).grant();
    expect(b.heard).toEqual(['opened']);
    expect(port.nth(0).sent).toEqual(when === 'before' ? ['+b'] : ['+a', '-a', '+b']);
    port.nth(0).say(CONFIRMED, 'a');
    port.nth(0).say('TASK_MESSAGE', 'a', { eventId: '1-1' });
    port.nth(0).say(CONFIRMED, 'b');
    if (when === 'after') expect([a.heard, b.heard]).toEqual([['opened'], ['opened', `frame ${CONFIRMED}`]]);
  });

  test('that leaves a server that shares nothing leaves no socket, and the others open theirs', () => {
    const port = fakeSockets();
    const ride = fakeChannelsOf(port);
    const [a] = [ride('a'), ride('b'), ride('c')];
    port.nth(0).listener.opened();
    a?.socket.close();
    port.nth(0).say(CONFIRMED, 'a');
    expect(port.all.map(({ request, isClosed }) => [request.taskId, isClosed])).toEqual([
      ['a', true],
      ['b', false],
      ['c', false],
    ]);
  });

  test.each([
    ['refused 401 {} 7', (port: FakeSockets) => port.nth(0).listener.refused(401, '{}', '7')],
    ['cut', (port: FakeSockets) => port.nth(0).listener.cut()],
    ['closed 1006', (port: FakeSockets) => port.nth(0).listener.closed(1006)],
  ])('tells everybody what became of the upgrade: %s', (heard, happen) => {
    const port = fakeSockets();
    const ride = fakeChannelsOf(port);
    const riders = [ride('a'), ride('b'), ride('c')];
    happen(port);
    for (const rider of riders) expect(rider.heard).toEqual([heard]);
    ride('d');
    expect(port.all).toHaveLength(2);
  });
});

describe('a shared socket', () => {
  test('hands each frame to its task, however it is written', async () => {
    const { port, riders } = await sharing('a', 'b');
    const { listener } = port.nth(0);
    listener.frame('{"type":"TASK_MESSAGE","taskId":"b","eventId":"1-1"}');
    listener.frame('{ "eventId": "2-1", "taskId": "b", "type": "TASK_MESSAGE" }');
    listener.frame('{"type":"X","taskId":"\\u0062","eventId":"3-1"}');
    expect(riders.map(({ heard }) => heard)).toEqual([[], ['frame 1-1', 'frame 2-1', 'frame 3-1']]);
  });

  test.each([
    ['nonsense', 'frame nonsense'],
    [undefined, 'binary'],
    ['null', 'frame null'],
    ['[]', 'frame []'],
    ['{"taskId":7}', 'frame {"taskId":7}'],
    ['{"type":"TASK_MESSAGE","taskId":"z","eventId":"1-1"}', 'frame 1-1'],
  ])('lets everybody judge %s, which names none of them', async (text, said) => {
    const { port, riders } = await sharing('a', 'b');
    port.nth(0).listener.frame(text);
    for (const { heard } of riders) expect(heard).toEqual([said]);
  });

  test('is left by an unsubscribe frame; what still comes for that subscription reaches nobody', async () => {
    const { port, ride, riders } = await sharing('a', 'b');
    riders[0]?.socket.close();
    const again = ride('a');
    await turn();
    expect(port.nth(0).sent).toEqual(['-a', '+a']);
    port.nth(0).say('TASK_MESSAGE', 'a', { eventId: '1-1' });
    port.nth(0).say(ENDED, 'a', { code: 1000 });
    port.nth(0).say(CONFIRMED, 'a');
    port.nth(0).say('TASK_MESSAGE', 'a', { eventId: '1-1' });
    expect([riders[0]?.heard, again.heard]).toEqual([[], ['opened', `frame ${CONFIRMED}`, 'frame 1-1']]);
    expect(port.all).toHaveLength(1);
  });

  test('that is left and boarded again before any answer tells all ends apart', async () => {
    const { port, ride, riders } = await sharing('a', 'b');
    riders[0]?.socket.close();
    for (let i = 0; i < 3; i += 1) {
      const again = ride('a');
      await turn();
      again.socket.close();
    }
    const last = ride('a');
    await turn();
    for (let i = 0; i < 4; i += 1) {
      port.nth(0).say(CONFIRMED, 'a');
      port.nth(0).say(ENDED, 'a', { code: i === 2 ? 1008 : 1000 });
    }
    expect(last.heard).toEqual(['opened']);
    port.nth(0).say(CONFIRMED, 'a');
    expect(last.heard).toEqual(['opened', `frame ${CONFIRMED}`]);
  });

  test.each([
    [1000, 'closed 1000'],
    [1008, 'closed 1008'],
    [1006, 'cut'],
    ['1000', 'cut'],
    [undefined, 'cut'],
  ])('tells the end of one subscription (%j) to its task alone, as if it were the socket’s', async (code, said) => {
    const { port, ride, riders } = await sharing('a', 'b');
    port.nth(0).say(ENDED, 'a', { code });
    expect(riders.map(({ heard }) => heard)).toEqual([[said], []]);
    ride('a');
    await turn();
    expect(port.nth(0).sent).toEqual(['+a']);
  });

  test('takes an end without a beginning for a stray', async () => {
    const { port, ride } = await sharing('a', 'b');
    port.nth(0).say(ENDED, 'a', { code: 1006 });
    const again = ride('a');
    await turn();
    port.nth(0).say(ENDED, 'a', { code: 1000 });
    port.nth(0).say(CONFIRMED, 'a');
    expect(again.heard).toEqual(['opened', `frame ${CONFIRMED}`]);
  });

  test('that has no room sends the task to another one, which then takes the next; with room again it takes them itself', async () => {
    const { port, ride } = await sharing('a', 'b');
    const c = ride('c');
    await turn();
    port.nth(0).say(ENDED, 'c', { code: 1013 });
    expect([port.all.length, c.heard]).toEqual([2, ['opened']]);
    ride('d');
    port.nth(1).listener.opened();
    port.nth(1).grant();
    expect(port.nth(1).sent).toEqual(['+c', '+d']);
    port.nth(0).say(ENDED, 'b', { code: 1000 });
    ride('e');
    await turn();
    expect(port.nth(0).sent).toEqual(['+c', '+e']);
  });

  test('takes no more than the 256 tasks that a server shows there, also before that was heard', async () => {
    const port = fakeSockets();
    const ride = fakeChannelsOf(port);
    for (let index = 0; index < 600; index += 1) ride(`task-${index}`);
    expect(port.all).toHaveLength(3);
    for (const socket of port.all) {
      socket.listener.opened();
      socket.grant();
    }
    expect(port.all.map(({ sent }) => sent.length)).toEqual([256, 256, 88]);
    ride('another');
    await turn();
    expect(port.all.map(({ sent }) => sent.at(-1))).toEqual(['+task-255', '+task-511', '+another']);
  });

  test('that has no room for its first task tells it so, since no other one would have any', () => {
    const port = fakeSockets();
    const a = fakeChannelsOf(port)('a');
    port.nth(0).listener.opened();
    port.nth(0).grant();
    port.nth(0).say(ENDED, 'a', { code: 1013 });
    expect(a.heard).toEqual(['opened', 'closed 1013']);
    expect([port.all.length, port.nth(0).isClosed]).toEqual([1, true]);
  });

  test.each(['cut', 'closed'] as const)('that is %s tells everybody on it, and who had not asked yet takes the next one', async (how) => {
    const { port, ride, riders } = await sharing('a', 'b');
    const late = ride('c');
    if (how === 'cut') port.nth(0).listener.cut();
    else port.nth(0).listener.closed(1012);
    await turn();
    expect(riders.map(({ heard }) => heard)).toEqual(how === 'cut' ? [['cut'], ['cut']] : [['closed 1012'], ['closed 1012']]);
    expect([late.heard, port.all.length]).toEqual([[], 2]);
    for (const rider of [...riders, late]) rider.socket.close();
    expect(port.nth(1).isClosed).toBe(true);
  });

  test('is closed when the last one leaves, or its last subscription ends', async () => {
    const left = await sharing('a', 'b');
    for (const { socket } of left.riders) socket.close();
    expect([left.port.nth(0).isClosed, left.port.nth(0).sent]).toEqual([true, ['-a']]);
    for (const { socket } of left.riders) socket.close();
    const over = await sharing('a');
    over.port.nth(0).say(ENDED, 'a', { code: 1000 });
    expect([over.port.nth(0).isClosed, over.riders[0]?.heard]).toEqual([true, ['closed 1000']]);
  });

  test('is for one address and one set of credentials, and for one cursor of a task', async () => {
    const { port, ride } = await sharing('a', 'b');
    ride('c', { headers: { authorization: 'b' } });
    ride('d', { url: 'ws://host/other' });
    ride('e', { protocols: ['taskbridge.v1', 'bearer.x'] });
    ride('a');
    expect(port.all.map(({ request }) => request.taskId)).toEqual(['a', 'c', 'd', 'e', 'a']);
  });
});
