import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import type { CallerTasks } from 'taskbridge/server';
import { fakeClock } from '../support/fake-clock.ts';
import { idsOf, ownBridge } from './own-bridge.ts';

type NewAttachment = NonNullable<Parameters<CallerTasks['start']>[0]['attachments']>[number];

const ann = { subject: 'ann' };

describe('files of a task that is created without HTTP', () => {
  const file = (text: string, more: Partial<NewAttachment> = {}): NewAttachment => ({
    fileName: 'a.csv',
    content: Buffer.from(text),
    ...more,
  });
  async function* texts(...chunks: string[]): AsyncGenerator<string> {
    yield* chunks;
  }
  const keys = async ({ attachments }: Awaited<ReturnType<typeof ownBridge>>): Promise<string[]> => {
    const found: string[] = [];
    for await (const key of attachments.keys(Number.POSITIVE_INFINITY)) found.push(key);
    return found.sort();
  };

  it('reach the work, named, measured and hashed, from bytes and from streams', async () => {
    const host = await ownBridge();
    const tasks = host.bridge.tasks(ann);
    async function* chunks() {
      for (const text of ['ab', 'cd']) yield new TextEncoder().encode(text);
    }
    const attachments = [file('abcd', { fileName: 'dir\\x.csv' }), file('', { fileName: 'y', content: chunks(), contentType: 'text/csv' })];
    const { taskId } = await tasks.start({ clientRequestId: 'r', taskType: 'count', attachments });
    await idsOf(tasks.watch(taskId));
    const hash = createHash('sha256').update('abcd').digest('hex').slice(0, 8);
    expect((await tasks.get(taskId)).result).toEqual({ names: [`x.csv 4 ${hash}`, `y 4 ${hash}`], rows: null });
    expect(await keys(host)).toEqual([`${taskId}/0`, `${taskId}/1`]);
    // The same request again: its files are those of the first one.
    expect(
      await tasks.start({
        clientRequestId: 'r',
        taskType: 'count',
        attachments: [file('abcd', { fileName: 'x.csv' }), file('abcd', { fileName: 'y', contentType: 'text/csv' })],
      }),
    ).toMatchObject({ taskId, deduplicated: true });
    expect(await keys(host)).toEqual([`${taskId}/0`, `${taskId}/1`]);
  });

  it('reach the work as UTF-8 where they are text, also where a chunk ends within a character', async () => {
    const host = await ownBridge();
    const tasks = host.bridge.tasks(ann);
    async function* mixed() {
      yield* ['aé', '\ud83d', '\udca1', Buffer.from('z')];
    }
    const attachments = [file('', { content: mixed() }), file('', { content: 'aé💡z' })];
    const { taskId } = await tasks.start({ clientRequestId: 'r', taskType: 'count', attachments });
    await idsOf(tasks.watch(taskId));
    const hash = createHash('sha256').update('aé💡z').digest('hex').slice(0, 8);
    expect((await tasks.get(taskId)).result).toEqual({ names: [`a.csv 8 ${hash}`, `a.csv 8 ${hash}`], rows: null });
    const stored: Buffer[] = [];
    for await (const chunk of await host.attachments.open(`${taskId}/0`)) stored.push(chunk as Buffer);
    expect(Buffer.concat(stored).toString()).toBe('aé💡z');
  });

  it.each(['a source of any kind', 'a stream', 'a generator'] as const)(
    'are refused where they do not come in time, and nothing is left of them nor open: %s',
    async (kind) => {
      const clock = fakeClock();
      const host = await ownBridge({ clock, http: { requestTimeoutMs: 300 } });
      let isAsked = false;
      let isEnded = false;
      const never = () => {
        isAsked = true;
        return new Promise<never>(() => undefined);
      };
      const endless = {
        'a source of any kind': () => ({
          [Symbol.asyncIterator]: () => ({ next: never, return: async () => ({ done: (isEnded = true), value: undefined as never }) }),
        }),
        'a stream': () => new Readable({ read: () => void never() }).once('close', () => (isEnded = true)),
        // Whoever waits within a generator cannot be ended from outside.
        async *'a generator'() {
          isEnded = true;
          yield Buffer.from('x');
          await never();
        },
      }[kind]();
      const unread = Readable.from(['never read']);
      const made = host.bridge.tasks(ann).start({
        clientRequestId: 'r',
        taskType: 'count',
        attachments: [file('a'), ...[endless, unread].map((content) => file('', { content }))],
      });
      const refused = expect(made).rejects.toMatchObject({ code: 'INVALID_REQUEST', message: expect.stringContaining('300 ms') as string });
      await vi.waitFor(() => expect(isAsked).toBe(true));
      clock.advance(300);
      await refused;
      expect(await keys(host)).toEqual([]);
      await vi.waitFor(() => expect([isEnded, unread.destroyed]).toEqual([true, true]));
    },
  );

  it('are refused where the source of a later one breaks while an earlier one is read', async () => {
    const host = await ownBridge();
    const broken = createReadStream('/there/is/no/such/file');
    async function* slow() {
      await once(broken, 'close').catch(() => undefined);
      yield Buffer.from('a');
    }
    const attachments = [file('', { content: slow() }), file('', { content: broken })];
    await expect(host.bridge.tasks(ann).start({ clientRequestId: 'r', taskType: 'count', attachments })).rejects.toMatchObject({
      code: 'INTERNAL_ERROR',
    });
    expect(await keys(host)).toEqual([]);
  });

  it.each<[unknown, string]>([
    [7, 'number'],
    [new ArrayBuffer(1), 'an object (ArrayBuffer)'],
    [undefined, 'undefined'],
    [[Buffer.from('a'), 7], 'number'],
    [[new Uint16Array(1)], 'an object (Uint16Array)'],
    [[null], 'null'],
  ])('are refused where they are neither bytes nor text: %o', async (content, named) => {
    const host = await ownBridge();
    const attachments = [file('', { content: content as NewAttachment['content'] })];
    const refused = expect(host.bridge.tasks(ann).start({ clientRequestId: 'r', taskType: 'count', attachments })).rejects;
    await refused.toMatchObject({ code: 'UPLOAD_VALIDATION_ERROR', message: expect.stringContaining(named) as string });
    expect(await keys(host)).toEqual([]);
  });

  it.each<[string, NewAttachment[], string]>([
    ['one too large', [file('ab'), file('x'.repeat(101))], 'UPLOAD_VALIDATION_ERROR'],
    ['one too many', [file('a'), file('b'), file('c'), file('d')], 'UPLOAD_VALIDATION_ERROR'],
    [
      'too many bytes of text together',
      [file('', { content: texts('é'.repeat(49)) }), file('', { content: texts('y'.repeat(99)) })],
      'PAYLOAD_TOO_LARGE',
    ],
    ['too many bytes together', [file('x'.repeat(99)), file('y'.repeat(99))], 'PAYLOAD_TOO_LARGE'],
    ['a type that is not allowed', [file('a'), file('a', { contentType: 'image/png' })], 'UPLOAD_VALIDATION_ERROR'],
    ['what the policy refuses', [file('a', { fileName: 'virus' })], 'UPLOAD_VALIDATION_ERROR'],
    [
      'a stream that breaks',
      [
        file('a'),
        file('', {
          content: (async function* () {
            yield Buffer.from('a');
            throw new Error('torn');
          })(),
        }),
      ],
      'INTERNAL_ERROR',
    ],
  ])('are refused, and nothing is left of them: %s', async (_name, attachments, code) => {
    const host = await ownBridge({
      http: { uploadBytesMax: 100, uploadFilesMax: 3, uploadRequestBytesMax: 150, uploadContentTypes: ['application/octet-stream'] },
      uploads: { refuseUpload: (_auth, files) => (files.some(({ fileName }) => fileName === 'virus') ? 'No.' : undefined) },
    });
    await expect(host.bridge.tasks(ann).start({ clientRequestId: 'r', taskType: 'count', attachments })).rejects.toMatchObject({ code });
    expect(await keys(host)).toEqual([]);
  });
});
