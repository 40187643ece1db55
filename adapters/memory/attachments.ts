import { Readable } from 'node:stream';
import { isUint8Array } from 'node:util/types';
import { assertOptionNames, systemClock, type AttachmentStore, type Clock } from '../../server/ports/index.ts';

/**
 * Makes an attachment store that keeps everything in memory: for tests and small hosts. Nothing limits what it holds but the limits of
 * uploads.
 */
export function memoryAttachments(options: { readonly clock?: Clock } = {}): AttachmentStore {
  assertOptionNames(options, { clock: true }, 'memoryAttachments');
  const { clock = systemClock } = options;
  const files = new Map<string, { readonly bytes: Buffer; readonly writtenAt: number }>();
  let owner: string | undefined;

  return {
    shared: false,

    async put(key, bytes) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of bytes) {
        if (!isUint8Array(chunk)) throw new TypeError(`A file is written from bytes, and was given ${typeof chunk}.`);
        chunks.push(chunk);
      }
      files.set(key, { bytes: Buffer.concat(chunks), writtenAt: clock.now() });
    },

    async open(key) {
      const file = files.get(key);
      if (!file) throw new Error(`There is no attachment ${key}.`);
      return Readable.from([file.bytes], { objectMode: false });
    },

    async remove(key) {
      files.delete(key);
    },

    async *keys(writtenBefore) {
      for (const [key, { writtenAt }] of [...files]) if (writtenAt < writtenBefore) yield key;
    },

    async storeId() {
      return owner;
    },

    async claim(storeId) {
      return (owner ??= storeId);
    },
  };
}
