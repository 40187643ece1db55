import { partOf, partsOf, taskParts } from 'taskbridge/client/parts';
import type { ClientReport, Observation, ObserveOptions, TransportName } from 'taskbridge/client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { completed, snapshotAt, TASK, writeEvents } from '../support/scripted-server.ts';
import { createHarness, type Harness } from './harness.ts';
import { all, begin, closed, frame, joined, opened } from './part-script.ts';

let world: Harness;
beforeEach(async () => {
  world = await createHarness();
});
afterEach(() => world.close());

/** What the server says on each connection, in turn; notes the part cursors that each came with. */
function says(...connections: readonly (readonly object[])[]): { readonly cursors: unknown[] } {
  const cursors: unknown[] = [];
  let nth = 0;
  world.server.script.stream = (response, request) => {
    const query = new URL(request.url ?? '', 'http://host').searchParams;
    cursors.push(query.get('parts'));
    const frames = connections[Math.min(nth, connections.length - 1)] ?? [];
    nth += 1;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(': ok\n\n');
    for (const one of frames) {
      const id = 'createdAt' in one ? `id: ${String((one as { readonly eventId?: string }).eventId)}\n` : '';
      response.write(`${id}data: ${JSON.stringify(one)}\n\n`);
    }
    if (nth < connections.length) response.end();
  };
  return { cursors };
}

function observe(
  options: object = {},
  parts = taskParts(),
  how: ObserveOptions = {},
): { readonly observation: Observation; readonly reports: ClientReport[] } {
  const reports: ClientReport[] = [];
  const client = world.client({ transports: ['sse'], parts, onReport: (report) => void reports.push(report), ...options });
  return { observation: client.observe(TASK, how), reports };
}

describe('the text of a part', () => {
  test('is that of its frames, and what its closing fact says is the whole of it', async () => {
    says([opened(1), begin(1, 0, 'bü'), frame(1, 3, 'ro 🙂'), closed(2, 1, 17, { text: 'büro 🙂 is open' }), completed(3)]);
    const { observation } = observe();
    const part = partOf(observation, 'answer');
    expect(part.text).toBe('');
    expect(part.open).toBe(false);
    expect(joined(await all(part))).toBe('büro 🙂 is open');
    expect(part.getSnapshot()).toEqual({
      ...{ part: 1, name: 'answer', kind: 'text', text: 'büro 🙂 is open', bytes: 17 },
      ...{ open: false, outcome: 'DONE', truncated: false, restarts: 0 },
    });
  });

  test('has no hole: where text is missing, the connection is lost, and it is asked for again from there', async () => {
    const { cursors } = says(
      [opened(1), begin(1, 0, 'one '), frame(1, 8, 'three')],
      [begin(1, 4, 'two three'), closed(2, 1, 13), completed(3)],
    );
    const { observation, reports } = observe();
    expect(joined(await all(partOf(observation, 'answer')))).toBe('one two three');
    expect(cursors).toEqual([null, '1-1000.4.e1']);
    expect(reports).toContainEqual(expect.objectContaining({ type: 'lost', reason: 'a hole in a part' }));
  });

  test('that has not begun is asked for by its name and number alone', async () => {
    const { cursors } = says([opened(1)], [begin(1, 0, 'some'), closed(2, 1, 4), completed(3)]);
    const { observation } = observe();
    expect(joined(await all(partOf(observation, 'answer')))).toBe('some');
    expect(cursors).toEqual([null, '1-1000.0.0']);
  });

  test('has nothing twice: what is known of a frame is left out, by whole characters', async () => {
    says([opened(1), begin(1, 0, 'büro'), begin(1, 0, 'bür'), begin(1, 1, 'üro 🙂'), closed(2, 1, 10), completed(3)]);
    expect(joined(await all(partOf(observe().observation, 'answer')))).toBe('büro 🙂');
  });

  test('is not taken where its places are not those of its bytes', async () => {
    const { cursors } = says([opened(1), { ...begin(1, 0, 'büro'), to: 4 }], [begin(1, 0, 'büro'), closed(2, 1, 5), completed(3)]);
    expect(joined(await all(partOf(observe().observation, 'answer')))).toBe('büro');
    expect(cursors).toHaveLength(2);
  });

  test.each([
    ['a reset', begin(1, 0, 'other', { reset: true })],
    ['another epoch', begin(1, 0, 'other', { epoch: 'e2' })],
  ])('begins anew by %s, and says so', async (_, again) => {
    says([opened(1), begin(1, 0, 'some text')], [again, frame(1, 5, ' text'), closed(2, 1, 10), completed(3)]);
    const part = partOf(observe().observation, 'answer');
    const pieces = await all(part);
    const last = pieces.findIndex(({ reset }) => reset);
    expect(joined(pieces.slice(0, last))).toBe('some text');
    expect(joined(pieces.slice(last))).toBe('other text');
    expect(pieces.filter(({ reset }) => reset)).toHaveLength(1);
    expect(part.getSnapshot()).toMatchObject({ text: 'other text', restarts: 1 });
  });

  test('goes on where an epoch begins at its end', async () => {
    const { cursors } = says(
      [opened(1), begin(1, 0, 'some ')],
      [begin(1, 5, 'more ', { epoch: 'e2' })],
      [begin(1, 10, 'text', { epoch: 'e2' }), closed(2, 1, 14), completed(3)],
    );
    const part = partOf(observe().observation, 'answer');
    expect(joined(await all(part))).toBe('some more text');
    expect(part.getSnapshot()?.restarts).toBe(0);
    expect(cursors).toEqual([null, '1-1000.5.e1', '1-1000.10.e2']);
  });

  test('of a part that goes no further is followed by that of the next one of its name', async () => {
    says([
      opened(1),
      begin(1, 0, 'half'),
      closed(2, 1, 4, { text: 'half', outcome: 'ABANDONED' }),
      opened(3),
      begin(3, 0, 'the whole'),
      closed(4, 3, 9, { text: 'the whole' }),
      completed(5),
    ]);
    const { observation } = observe();
    const pieces = await all(partOf(observation, 'answer'));
    expect(pieces.at(-1)?.text.endsWith('whole')).toBe(true);
    expect(joined(pieces.slice(pieces.findIndex(({ reset }) => reset)))).toBe('the whole');
    expect(joined(await all(partOf(observation, 1)))).toBe('half');
    expect(partsOf(observation).map(({ part, outcome }) => [part, outcome])).toEqual([
      [1, 'ABANDONED'],
      [3, 'DONE'],
    ]);
  });

  test('is not said to be whole where the log ends without the fact that closed it, and no server has the rest', async () => {
    says([opened(1), begin(1, 0, 'half'), completed(2)]);
    const { snapshot } = world.server.script;
    world.server.script.snapshot = (request) =>
      request.url?.includes('/parts/') ? [404, { code: 'PART_NOT_FOUND', message: 'There is none.' }] : snapshot(request);
    const { observation } = observe();
    await expect(all(partOf(observation, 'answer'))).rejects.toMatchObject({ code: 'TEXT_RELEASED' });
    expect(partsOf(observation)).toMatchObject([{ text: 'half', bytes: 4, open: false, outcome: 'ABANDONED', truncated: true }]);
  });

  test.each([
    ['goes on', 'e1', 'half of it'],
    ['is of another epoch', 'e2', 'another text, in several answers'],
  ])('is read on from a server where the fact that closed it was not among what came, and %s', async (_, epoch, whole) => {
    const gap = { type: 'GAP', taskId: TASK, eventId: '', createdAt: '', payload: { reason: 'trimmed', firstEventId: '9-1000' } };
    says([opened(1), begin(1, 0, 'half of')], [gap, completed(9)]);
    const offsets: number[] = [];
    world.server.script.snapshot = ({ url = '' }) => {
      const { pathname, searchParams } = new URL(url, 'http://host');
      // It lists the newest parts only.
      if (!pathname.includes('/parts/')) return snapshotAt('9-1000', 'completed');
      const at = offsets[offsets.push(Number(searchParams.get('offset'))) - 1] ?? 0;
      const text = whole.slice(at, at + 4);
      const about = { taskId: TASK, part: 1, eventId: '1-1000', name: 'answer', kind: 'text', open: false, outcome: 'DONE', epoch };
      return { ...about, bytes: whole.length, at, to: at + text.length, text };
    };
    const { observation } = observe();
    const part = partOf(observation, 'answer');
    const pieces = await all(part);
    expect(
      joined(
        pieces.slice(
          Math.max(
            0,
            pieces.findIndex(({ reset }) => reset),
          ),
        ),
      ),
    ).toBe(whole);
    expect(part.getSnapshot()).toMatchObject({ text: whole, open: false, outcome: 'DONE', truncated: false });
    expect(offsets[0]).toBe(7);
  });

  test('that begins anew, and is closed without any, is begun anew for its readers, too', async () => {
    says([opened(1), begin(1, 0, 'lost by the store')], [closed(2, 1, 0, { text: '' }), completed(3)]);
    const { observation } = observe();
    expect((await all(partOf(observation, 'answer'))).at(-1)).toEqual({ text: '', reset: true });
    expect(partsOf(observation)).toMatchObject([{ text: '', restarts: 1, truncated: false }]);
  });

  test('of a value that is replaced is the last one, and never an older one again', async () => {
    const value = (version: number, text: string): object => ({ ...begin(1, version - 1, text, { kind: 'latest' }), to: version });
    says([opened(1, 'answer', 'latest'), value(1, '{"a":1}'), value(3, '{"a":3}'), value(2, '{"a":2}'), closed(2, 1, 3), completed(3)]);
    const part = partOf(observe().observation, 'answer');
    const pieces = await all(part);
    expect(pieces.at(-1)).toEqual({ text: '{"a":3}', reset: false });
    expect(part.getSnapshot()).toMatchObject({ kind: 'latest', text: '{"a":3}', bytes: 3 });
  });

  test('of a value of which the store has lost what was shown is begun anew by the fact that closes it', async () => {
    const value = (version: number, text: string): object => ({ ...begin(1, version - 1, text, { kind: 'latest' }), to: version });
    says([opened(1, 'answer', 'latest'), value(3, '{"a":3}'), closed(2, 1, 1, { kind: 'latest', text: '{"a":1}' }), completed(3)]);
    const part = partOf(observe().observation, 'answer');
    expect((await all(part)).at(-1)).toMatchObject({ text: '{"a":1}' });
    expect(part.getSnapshot()).toMatchObject({ text: '{"a":1}', bytes: 1, restarts: 1, truncated: false });
  });

  test('of a value is known by the fact that closes it where nothing else is kept of it', async () => {
    says([closed(2, 1, 3, { kind: 'latest', text: '{"a":3}' }), completed(3)]);
    const { observation } = observe();
    await all(partOf(observation, 1));
    expect(partsOf(observation)).toMatchObject([{ kind: 'latest', text: '{"a":3}', bytes: 3, truncated: false }]);
  });

  test('is forgotten with a history that was replaced', async () => {
    const gap = { type: 'GAP', taskId: TASK, eventId: '', createdAt: '', payload: { reason: 'reset', firstEventId: null } };
    says(
      [opened(1), begin(1, 0, 'lost')],
      [gap, opened(1, 'other'), begin(1, 0, 'kept', { name: 'other' }), closed(2, 1, 4), completed(3)],
    );
    const { observation } = observe();
    expect(joined(await all(partOf(observation, 'other')))).toBe('kept');
    expect(partsOf(observation).map(({ name, text }) => [name, text])).toEqual([['other', 'kept']]);
  });
});

test('who begins in the middle of a log knows the parts that the snapshot lists, and goes on in them', async () => {
  const listed = (part: number, name: string, text: string, more: object): object => ({
    ...{ part, eventId: `${part}-1000`, name, kind: 'text', bytes: Buffer.byteLength(text), text },
    ...more,
  });
  world.server.script.snapshot = () =>
    snapshotAt('5-1000', 'running', {
      parts: [
        listed(1, 'plan', 'büro', { open: false, outcome: 'DONE' }),
        { ...listed(3, 'long', '', { open: false, outcome: 'DONE', bytes: 40_000 }), text: undefined },
        listed(5, 'answer', 'some ', { open: true, epoch: 'e1' }),
        null,
      ],
    });
  says([begin(5, 0, 'some '), frame(5, 5, 'text'), closed(6, 5, 9), completed(7)]);
  const { observation } = observe({}, taskParts(), { lastEventId: '5-1000' });
  expect(joined(await all(partOf(observation, 'plan')))).toBe('büro');
  expect(joined(await all(partOf(observation, 'answer')))).toBe('some text');
  expect(partsOf(observation).map(({ name, bytes, open, truncated }) => [name, bytes, open, truncated])).toEqual([
    ['plan', 5, false, false],
    ['long', 40_000, false, true],
    ['answer', 9, false, false],
  ]);
});

describe('the limits of parts', () => {
  test('a part beyond textBytesMax keeps its beginning, and its pieces end with an error', async () => {
    says([opened(1), begin(1, 0, '12345'), frame(1, 5, '67890'), closed(2, 1, 10), completed(3)]);
    const { observation } = observe({}, taskParts({ limits: { textBytesMax: 7 } }));
    const part = partOf(observation, 'answer');
    await expect(all(part)).rejects.toMatchObject({ code: 'TEXT_RELEASED' });
    expect(part.getSnapshot()).toMatchObject({ text: '12345', bytes: 10, truncated: true, open: false });
  });

  test('text of closed parts is let go beyond taskTextBytesMax, the oldest first', async () => {
    says([
      ...[1, 3, 5].flatMap((n) => [opened(n), begin(n, 0, 'abcdef'), closed(n + 1, n, 6)]),
      opened(7),
      begin(7, 0, 'abcdef'),
      closed(8, 7, 6),
      completed(9),
    ]);
    const { observation } = observe({}, taskParts({ limits: { taskTextBytesMax: 12 } }));
    for await (const _ of observation);
    expect(partsOf(observation).map(({ text, truncated }) => [text, truncated])).toEqual([
      ['', true],
      ['', true],
      ['abcdef', false],
      ['abcdef', false],
    ]);
    await expect(all(partOf(observation, 1))).rejects.toMatchObject({ code: 'TEXT_RELEASED' });
  });

  test('an option that is none, and a limit that cannot be, are refused', () => {
    expect(() => taskParts({ limit: {} } as object)).toThrow(/limit is no option/);
    expect(() => taskParts({ limits: { textBytesMax: 0 } })).toThrow(/textBytesMax/);
  });
});

describe('a client that was not told to take parts', () => {
  test.each<TransportName>(['ws', 'sse', 'poll'])('asks for none over %s, and says what to give', async (transport) => {
    const asked: (string | undefined)[] = [];
    const { script } = world.server;
    script.upgrade = ({ url }) => void asked.push(url);
    script.subscribed = ({ confirm, send }) => (confirm(), send(opened(1), completed(2)));
    script.stream = (response, { url }) => (asked.push(url), writeEvents(response, opened(1), completed(2)));
    script.poll = (_, { url }) => (asked.push(url), { taskId: TASK, events: [opened(1), completed(2)], nextAfterEventId: '2-1000' });
    const observation = world.client({ transports: [transport] }).observe(TASK);
    for await (const _ of observation);
    expect(asked).toHaveLength(1);
    expect(asked[0]).not.toContain('parts');
    expect(() => partOf(observation, 'answer')).toThrow(/the option `parts: taskParts\(\)`/);
    expect(() => partsOf(observation)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

test('a part is still open for whoever leaves its task before the end', async () => {
  says([opened(1), begin(1, 0, 'some')], []);
  const { observation } = observe();
  const part = partOf(observation, 'answer');
  await eventually(() => part.text === 'some');
  observation.close();
  expect(part.getSnapshot()).toMatchObject({ text: 'some', open: true, outcome: undefined });
});

test('pieces fail where the observation is closed, and end where their reader leaves', async () => {
  says([opened(1), begin(1, 0, 'some')]);
  const { observation } = observe();
  const part = partOf(observation, 'answer');
  await eventually(() => part.text === 'some');
  const leaving = part[Symbol.asyncIterator]();
  expect(await leaving.next()).toEqual({ done: false, value: { text: 'some', reset: false } });
  const waiting = leaving.next();
  await leaving.return?.();
  expect(await waiting).toEqual({ done: true, value: undefined });
  const failing = all(part);
  observation.close();
  await expect(failing).rejects.toMatchObject({ code: 'CLOSED' });
});

test.each<TransportName>(['ws', 'sse', 'poll'])(
  'a server that will not have part cursors over %s is asked again without them',
  async (transport) => {
    const { script } = world.server;
    const told: unknown[] = [];
    const refusal: [number, object] = [422, { code: 'REQUEST_VALIDATION_ERROR', message: 'no', details: {}, timestamp: '' }];
    const first = [opened(1), begin(1, 0, 'some ')];
    const rest = [begin(1, 0, 'some '), frame(1, 5, 'text'), closed(2, 1, 9), completed(3)];
    // Nobody reads the cursors of a WebSocket but the script: what comes first is a cut, then a refusal, then an answer.
    script.subscribed = ({ confirm, send, socket }) => {
      told.push('ws');
      if (told.length === 2) return socket.close(1008, 'parts is no field');
      confirm(['gap', 'parts']);
      if (told.length > 1) return send(...rest);
      send(...first);
      setImmediate(() => socket.terminate());
    };
    script.stream = (response, request) => {
      const parts = new URL(request.url ?? '', 'http://host').searchParams.get('parts');
      told.push(parts);
      if (parts !== null) return void response.writeHead(refusal[0]).end(JSON.stringify(refusal[1]));
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const one of told.length === 1 ? first : rest)
        response.write(`${'createdAt' in one ? 'id: 1\n' : ''}data: ${JSON.stringify(one)}\n\n`);
      if (told.length === 1) response.end();
    };
    script.poll = (query) => {
      told.push(query.get('parts'));
      if (told.length === 2) return refusal;
      const page = { taskId: TASK, hasMore: false, terminal: told.length > 1 };
      if (told.length === 1) return { ...page, events: [opened(1)], parts: [begin(1, 0, 'some ')], nextAfterEventId: '1-1000' };
      return { ...page, events: [closed(2, 1, 9, { text: 'some text' }), completed(3)], nextAfterEventId: '3-1000' };
    };
    const { observation } = observe({ transports: [transport] });
    expect(joined(await all(partOf(observation, 'answer')))).toBe('some text');
    expect(told).toEqual(transport === 'ws' ? ['ws', 'ws', 'ws'] : [null, '1-1000.5.e1', null]);
  },
);

test('a long part that was listed as closed, and is read as a whole, does not come once more with each page before its last fact', async () => {
  const long = { part: 1, eventId: '1-1000', name: 'answer', kind: 'text', bytes: 9, open: false, outcome: 'DONE', text: 'on and on' };
  world.server.script.snapshot = () => snapshotAt('2-1000', 'running', { parts: [long] });
  const asked: unknown[] = [];
  world.server.script.poll = (query) => {
    asked.push(query.get('parts'));
    const rest = { taskId: TASK, nextAfterEventId: '1-1000', terminal: false };
    return asked.length < 3
      ? { ...rest, events: [], parts: [begin(1, 0, 'on and on')], hasMore: true }
      : { ...rest, events: [closed(2, 1, 9), completed(3)], hasMore: false, terminal: true };
  };
  const { observation } = observe({ transports: ['poll'], limits: { emptyPauseMs: 1 } }, taskParts(), { lastEventId: '1-1000' });
  for await (const _ of observation);
  expect(asked.at(-1)).toBe('1-1000.9.e1');
  expect(partOf(observation, 1).text).toBe('on and on');
});

test('a page of a poll has frames beside its events', async () => {
  const pages = [
    { taskId: TASK, events: [opened(1)], parts: [begin(1, 0, 'on ')], nextAfterEventId: '1-1000', hasMore: false, terminal: false },
    { taskId: TASK, events: [], parts: [begin(1, 3, 'and on')], nextAfterEventId: '1-1000', hasMore: false, terminal: false },
    { taskId: TASK, events: [closed(2, 1, 9), completed(3)], nextAfterEventId: '3-1000', hasMore: false, terminal: true },
  ];
  const asked: unknown[] = [];
  world.server.script.poll = (query) => {
    asked.push([query.get('extensions'), query.get('parts')]);
    return pages[asked.length - 1];
  };
  // A page with text is not empty: no rest comes after it.
  const { observation } = observe({ transports: ['poll'], limits: { emptyPauseMs: 600_000 } });
  expect(joined(await all(partOf(observation, 'answer')))).toBe('on and on');
  expect(asked).toEqual([
    ['parts', null],
    ['parts', '1-1000.3.e1'],
    ['parts', '1-1000.9.e1'],
  ]);
});
