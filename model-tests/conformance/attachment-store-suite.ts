import { createHash, randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AttachmentStore } from '../../server/ports/index.ts';

/** An attachment store under test, empty when it comes. */
export interface AttachmentStoreUnderTest {
  readonly attachments: AttachmentStore;
  /** Opens another one on the same files; absent where nothing outlives the store. */
  reopen?(): Promise<AttachmentStore>;
  close(): Promise<void>;
}

const FAR_FUTURE = 8e15;

/** Says what an attachment store means, and proves it for one adapter. Every test gets one of its own. */
export function describeAttachmentStore(name: string, open: () => Promise<AttachmentStoreUnderTest>): void {
  describe(`attachment store: ${name}`, () => {
    let current: AttachmentStoreUnderTest;
    const attachments = (): AttachmentStore => current.attachments;

    beforeEach(async () => {
      current = await open();
    });
    afterEach(async () => {
      await current.close();
    });

    it('gives back what was put, chunk borders or not', async () => {
      const key = someKey();
      await attachments().put(key, chunks('ab', '', 'ü💡', 'c'));
      expect((await read(await attachments().open(key))).toString()).toBe('abü💡c');
    });

    it('keeps an empty file', async () => {
      const key = someKey();
      await attachments().put(key, chunks());
      expect((await read(await attachments().open(key))).byteLength).toBe(0);
    });

    it('keeps a few megabytes', async () => {
      const [key, parts] = [someKey(), Array.from({ length: 40 }, () => randomBytes(100_000))];
      await attachments().put(key, chunks(...parts));
      expect(sha256(await read(await attachments().open(key)))).toBe(sha256(Buffer.concat(parts)));
    });

    it('replaces what was there', async () => {
      const key = someKey();
      await attachments().put(key, chunks('a long first text'));
      await attachments().put(key, chunks('second'));
      expect((await read(await attachments().open(key))).toString()).toBe('second');
    });

    it('keeps the files of one task apart, and those of several', async () => {
      const [task, other] = [randomBytes(16).toString('hex'), randomBytes(16).toString('hex')];
      const keys = [`${task}/0`, `${task}/1`, `${task}/15`, `${other}/0`];
      await Promise.all(keys.map((key) => attachments().put(key, chunks(key))));
      for (const key of keys) expect((await read(await attachments().open(key))).toString()).toBe(key);
    });

    it('rejects opening what is not there, and names it', async () => {
      const key = someKey();
      await expect(attachments().open(key)).rejects.toThrow(key);
    });

    it('removes a file, and does nothing where there is none', async () => {
      const [key, other] = ['0', '1'].map((index) => `${'ab'.repeat(16)}/${index}`) as [string, string];
      await attachments().put(key, chunks('x'));
      await attachments().put(other, chunks('y'));
      await attachments().remove(key);
      await attachments().remove(key);
      await expect(attachments().open(key)).rejects.toThrow(key);
      expect((await read(await attachments().open(other))).toString()).toBe('y');
    });

    it('leaves nothing of a stream that fails', async () => {
      const key = someKey();
      await expect(attachments().put(key, failing())).rejects.toThrow('the upload was cut');
      await expect(attachments().open(key)).rejects.toThrow(key);
      expect(await keysBefore(attachments(), FAR_FUTURE)).toEqual([]);
    });

    it('leaves what was there when the stream that was to replace it fails', async () => {
      const key = someKey();
      await attachments().put(key, chunks('first'));
      await expect(attachments().put(key, failing())).rejects.toThrow('the upload was cut');
      expect((await read(await attachments().open(key))).toString()).toBe('first');
    });

    it('does not show a file before all of it is there', async () => {
      const key = someKey();
      let seenInside: string[] = [];
      async function* watching(): AsyncGenerator<Uint8Array> {
        yield Buffer.from('half');
        seenInside = await keysBefore(attachments(), FAR_FUTURE - 1).catch((error: unknown) => [String(error)]);
        await expect(attachments().open(key)).rejects.toThrow(key);
        yield Buffer.from('whole');
      }
      await attachments().put(key, watching());
      expect(seenInside).toEqual([]);
      expect((await read(await attachments().open(key))).toString()).toBe('halfwhole');
    });

    it('lists the keys that were written before a time', async () => {
      expect(await keysBefore(attachments(), FAR_FUTURE)).toEqual([]);
      const keys = Array.from({ length: 5 }, someKey).sort();
      for (const key of keys) await attachments().put(key, chunks(key));
      expect(await keysBefore(attachments(), FAR_FUTURE)).toEqual(keys);
      expect(await keysBefore(attachments(), 1_000)).toEqual([]);
      for (const key of keys) await attachments().remove(key);
      expect(await keysBefore(attachments(), FAR_FUTURE)).toEqual([]);
    });

    it('may remove while it lists', async () => {
      for (let i = 0; i < 5; i += 1) await attachments().put(someKey(), chunks('x'));
      let seen = 0;
      for await (const key of attachments().keys(FAR_FUTURE)) {
        seen += 1;
        await attachments().remove(key);
      }
      expect(seen).toBe(5);
      expect(await keysBefore(attachments(), FAR_FUTURE)).toEqual([]);
    });

    it('keeps its files beyond its life, or says by having no `reopen` that it does not', async () => {
      if (!current.reopen) return;
      const key = someKey();
      await attachments().put(key, chunks('kept'));
      const again = await current.reopen();
      expect((await read(await again.open(key))).toString()).toBe('kept');
      expect(await keysBefore(again, FAR_FUTURE)).toEqual([key]);
    });
  });
}

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
