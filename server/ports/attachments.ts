import type { Readable } from 'node:stream';

/** A file that was uploaded with a task: what the record keeps of it. */
export interface AttachmentReference {
  /** Where the attachment store has it: `<taskId>/<index>`. */
  readonly key: string;
  /** `attachment` or `attachments`. */
  readonly fieldName: string;
  readonly fileName: string;
  readonly contentType: string;
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
}

/** Where the bytes of attachments live. */
export interface AttachmentStore {
  /** True where every node of the host sees the same files. */
  readonly shared: boolean;
  /** Writes a stream under a key, replacing what was there; resolves when it is safe. A stream that fails leaves nothing. */
  put(key: string, bytes: AsyncIterable<Uint8Array>): Promise<void>;
  /** Opens what `put` wrote; rejects where there is nothing. */
  open(key: string): Promise<Readable>;
  /** Deletes; does nothing where there is nothing. */
  remove(key: string): Promise<void>;
  /** Keys that were written before that time, in milliseconds since the epoch. */
  keys(writtenBefore: number): AsyncIterable<string>;
  /** The id of the store whose tasks' files these are, as `claim` noted it; undefined where nobody has. */
  storeId(): Promise<string | undefined>;
  /** Notes the id of that store, unless one is noted: of two that do so at once, one. Resolves with the one that is noted then. */
  claim(storeId: string): Promise<string>;
}
