import { createHash, randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { AttachmentStore } from 'taskbridge/server';
import { casesOf, type CaseGroup, type Suite } from '../suite/case.ts';
import { rejects, same } from '../suite/claim.ts';

/** An attachment store under test, empty when it comes. */
export interface AttachmentStoreUnderTest {
  readonly attachments: AttachmentStore;
  /** Opens another one on the same files; absent where nothing outlives the store. */
  readonly reopen?: () => Promise<AttachmentStore>;
  close(): Promise<void>;
}

const FAR_FUTURE = 8e15;

const files: CaseGroup<AttachmentStoreUnderTest> = (underTest) => {
  const attachments = (): AttachmentStore => underTest().attachments;
  return {
    'gives back what was put, chunk borders or not': async () => {
      const key = someKey();
      await attachments().put(key, chunks('ab', '', 'ü💡', 'c'));
      same((await read(await attachments().open(key))).toString(), 'abü💡c');
    },

    'keeps an empty file': async () => {
      const key = someKey();
      await attachments().put(key, chunks());
      same((await read(await attachments().open(key))).byteLength, 0);
    },

    'keeps a few megabytes': async () => {
      const [key, parts] = [someKey(), Array.from({ length: 40 }, () => randomBytes(100_000))];
      await attachments().put(key, chunks(...parts));
      same(sha256(await read(await attachments().open(key))), sha256(Buffer.concat(parts)));
    },

    'replaces what was there': async () => {
      const key = someKey();
      await attachments().put(key, chunks('a long first text'));
      await attachments().put(key, chunks('second'));
      same((await read(await attachments().open(key))).toString(), 'second');
    },

    'keeps the files of one task apart, and those of several': async () => {
      const [task, other] = [randomBytes(16).toString('hex'), randomBytes(16).toString('hex')];
      const keys = [`${task}/0`, `${task}/1`, `${task}/15`, `${other}/0`];
      await Promise.all(keys.map((key) => attachments().put(key, chunks(key))));
      for (const key of keys) same((await read(await attachments().open(key))).toString(), key);
    },

    'rejects opening what is not there, and names it': async () => {
      const key = someKey();
      await rejects(attachments().open(key), key);
    },

    'removes a file, and does nothing where there is none': async () => {
      const [key, other] = ['0', '1'].map((index) => `${'ab'.repeat(16)}/${index}`) as [string, string];
      await attachments().put(key, chunks('x'));
      await attachments().put(other, chunks('y'));
      await attachments().remove(key);
      await attachments().remove(key);
      await rejects(attachments().open(key), key);
      same((await read(await attachments().open(other))).toString(), 'y');
    },

    'leaves nothing of a stream that fails': async () => {
      const key = someKey();
      await rejects(attachments().put(key, failing()), 'the upload was cut');
      await rejects(attachments().open(key), key);
      same(await keysBefore(attachments(), FAR_FUTURE), []);
    },

    'leaves what was there when the stream that was to replace it fails': async () => {
      const key = someKey();
      await attachments().put(key, chunks('first'));
      await rejects(attachments().put(key, failing()), 'the upload was cut');
      same((await read(await attachments().open(key))).toString(), 'first');
    },

    'rejects what is no bytes, instead of keeping less than it was given': async () => {
      const key = someKey();
      async function* texts(): AsyncGenerator<Uint8Array> {
        yield Buffer.from('bytes');
        yield 'text' as unknown as Uint8Array;
      }
      await rejects(attachments().put(key, texts()), /./);
      await rejects(attachments().open(key), key);
      same(await keysBefore(attachments(), FAR_FUTURE), []);
    },

    'does not show a file before all of it is there': async () => {
      const key = someKey();
      let seenInside: string[] = [];
      async function* watching(): AsyncGenerator<Uint8Array> {
        yield Buffer.from('half');
        seenInside = await keysBefore(attachments(), FAR_FUTURE - 1).catch((error: unknown) => [String(error)]);
        await rejects(attachments().open(key), key);
        yield Buffer.from('whole');
      }
      await attachments().put(key, watching());
      same(seenInside, []);
      same((await read(await attachments().open(key))).toString(), 'halfwhole');
    },

    'lists the keys that were written before a time': async () => {
      same(await keysBefore(attachments(), FAR_FUTURE), []);
      const keys = Array.from({ length: 5 }, someKey).sort();
      for (const key of keys) await attachments().put(key, chunks(key));
      same(await keysBefore(attachments(), FAR_FUTURE), keys);
      same(await keysBefore(attachments(), 1_000), []);
      for (const key of keys) await attachments().remove(key);
      same(await keysBefore(attachments(), FAR_FUTURE), []);
    },

    'keeps the id of the store that its files belong to, the first one that it was told': async () => {
      same(await attachments().storeId(), undefined);
      const [key, ours, others] = [someKey(), 'a'.repeat(32), 'b'.repeat(32)];
      await attachments().put(key, chunks('x'));
      same(await attachments().storeId(), undefined);
      same(await attachments().claim(ours), ours);
      same(await attachments().claim(others), ours);
      same(await attachments().claim(ours), ours);
      same(await attachments().storeId(), ours);
      same(await keysBefore(attachments(), FAR_FUTURE), [key]);
    },

    'may remove while it lists': async () => {
      for (let i = 0; i < 5; i += 1) await attachments().put(someKey(), chunks('x'));
      let seen = 0;
      for await (const key of attachments().keys(FAR_FUTURE)) {
        seen += 1;
        await attachments().remove(key);
      }
      same(seen, 5);
      same(await keysBefore(attachments(), FAR_FUTURE), []);
    },
  };
};

const lasting: CaseGroup<AttachmentStoreUnderTest> = (underTest) => ({
  'keeps its files beyond its life': async () => {
    const { attachments, reopen } = underTest();
    if (!reopen) return;
    const key = someKey();
    await attachments.put(key, chunks('kept'));
    const again = await reopen();
    same((await read(await again.open(key))).toString(), 'kept');
    same(await keysBefore(again, FAR_FUTURE), [key]);
  },

  'knows beyond its life whose its files are': async () => {
    const { attachments, reopen } = underTest();
    if (!reopen) return;
    await attachments.claim('a'.repeat(32));
    const again = await reopen();
    same(await again.storeId(), 'a'.repeat(32));
    same(await again.claim('b'.repeat(32)), 'a'.repeat(32));
  },
});

const rule = '`AttachmentStore` of taskbridge/server, and its verbs’ comments';
const subjectOf = (world: AttachmentStoreUnderTest): AttachmentStoreUnderTest => world;

/** What an attachment store means. Every case wants one that is empty. */
export const attachmentStoreSuite: Suite<AttachmentStoreUnderTest> = {
  name: 'attachment store',
  cases: [
    ...casesOf(files, { name: 'files', rule, subjectOf }),
    ...casesOf(lasting, {
      name: 'lasting',
      rule,
      subjectOf,
      missing: ({ reopen }) => (reopen ? undefined : 'the attachment store under test has no `reopen`: it keeps nothing.'),
    }),
  ],
};

function someKey(): string {
  return `${randomBytes(16).toString('hex')}/${randomBytes(1).readUInt8()}`;
}

async function* chunks(...parts: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield typeof part === 'string' ? Buffer.from(part) : part;
}

async function* failing(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('the beginning');
  throw new Error('the upload was cut');
}

async function read(stream: Readable): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

async function keysBefore(attachments: AttachmentStore, time: number): Promise<string[]> {
  const keys: string[] = [];
  for await (const key of attachments.keys(time)) keys.push(key);
  return keys.sort();
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
