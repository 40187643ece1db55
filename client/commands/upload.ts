import { freshId, type Chance } from '../clock.ts';
import { invalidArgument } from '../errors.ts';

/** A file of the device, as React Native sends one: `file://…`, `content://…`. */
export interface NativeFile {
  readonly uri: string;
}
/**
 * What is in a file. Bytes, a `Blob` and a factory of streams are sent again at every try; a bare stream is sent once, so its call is tried
 * once. React Native sends a {@link NativeFile} and nothing else, and is the only one that does.
 */
export type AttachmentContent =
  NativeFile | Uint8Array | Blob | ReadableStream<Uint8Array> | (() => ReadableStream<Uint8Array> | Promise<ReadableStream<Uint8Array>>);
/** A file that goes with a new task. */
export interface Attachment {
  readonly fileName: string;
  /** Defaults to `application/octet-stream`. */
  readonly contentType?: string;
  readonly content: AttachmentContent;
}
/** How far an upload came. A further try begins at 0 again. */
export interface UploadProgress {
  /** Bytes of the body that were handed to the network. */
  readonly sentBytes: number;
  /** All of them; undefined where a stream does not say. */
  readonly totalBytes: number | undefined;
}
/** Called as an upload goes on. */
export type UploadListener = (progress: UploadProgress) => void;

/** A form with files, ready to be sent any number of times, or once. */
export interface Upload {
  readonly isRepeatable: boolean;
  readonly onProgress: UploadListener | undefined;
  /** The body of one try, which tells how far it came where it is a stream. That comes with its content type; of a form, `fetch` knows it. */
  open(onProgress: UploadListener): Promise<UploadBody>;
}
/** What `fetch` is given. */
export type UploadBody = { readonly form: FormData } | { readonly stream: ReadableStream<Uint8Array>; readonly contentType: string };

/** What an upload is made of. */
export interface UploadOptions {
  readonly fields: Readonly<Record<string, string>>;
  /** Which field the files are in. */
  readonly field: string;
  readonly attachments: readonly Attachment[];
  readonly onProgress: UploadListener | undefined;
  /** True where `fetch` takes a stream as body: Node does, browsers over HTTP/2 at most. */
  readonly streams: boolean;
  readonly chance: Chance;
}

type ReadableContent = Exclude<AttachmentContent, NativeFile>;
const DEFAULT_TYPE = 'application/octet-stream';
// By what they can do, not by their class: bytes may come from another realm (a frame, a test's context).
/** True for bytes. */
export const isBytes = (content: AttachmentContent): content is Uint8Array => ArrayBuffer.isView(content);
/** True for a file of a browser, or bytes that look like one. */
export const isBlob = (content: AttachmentContent): content is Blob =>
  !isBytes(content) && typeof (content as Partial<Blob>).slice === 'function';
/** True for a file that React Native reads by itself. */
export const isNativeFile = (content: AttachmentContent): content is NativeFile => typeof (content as Partial<NativeFile>).uri === 'string';
const isStream = (content: AttachmentContent): content is ReadableStream<Uint8Array> =>
  typeof (content as Partial<ReadableStream>).getReader === 'function';

/** Sends streams as they come where that is possible; otherwise they are gathered first. */
export function createUpload(options: UploadOptions): Upload {
  const { attachments, onProgress, streams, chance } = options;
  const hasStreams = attachments.some(({ content }) => typeof content === 'function' || isStream(content));
  return {
    isRepeatable: !attachments.some(({ content }) => isStream(content)),
    onProgress,
    async open(tell) {
      const isWritten = streams && (hasStreams || onProgress) && !attachments.some(({ content }) => isNativeFile(content));
      if (isWritten) return writeForm(options, `taskbridge-${freshId(chance)}`, tell);
      return { form: await gatherForm(options) };
    },
  };
}

async function gatherForm({ fields, field, attachments }: UploadOptions): Promise<FormData> {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  const isNative = 'getParts' in form;
  for (const { fileName, contentType = DEFAULT_TYPE, content } of attachments) {
    if (isNativeFile(content) !== isNative)
      throw invalidArgument(`${JSON.stringify(fileName)} cannot be attached: React Native sends { uri }, and nobody else does.`);
    // React Native's forms take a file by its address instead of a blob, and its name and type with it.
    if (isNativeFile(content)) form.append(field, { uri: content.uri, name: fileName, type: contentType } as unknown as Blob);
    else form.append(field, await gather(content, contentType), fileName);
  }
  return form;
}

async function gather(content: ReadableContent, type: string): Promise<Blob> {
  if (isBlob(content)) return content.slice(0, content.size, type);
  const chunks: Uint8Array[] = [];
  for await (const chunk of read(content)) chunks.push(chunk);
  // A Uint8Array over a shared buffer is no BlobPart by type, but every platform copies it.
  return new Blob(chunks as BlobPart[], { type });
}

/** The form as one stream, nothing of which is kept. Source: RFC 7578; names are escaped as browsers do. */
function writeForm({ fields, field, attachments }: UploadOptions, boundary: string, onProgress: UploadListener): UploadBody {
  const encoder = new TextEncoder();
  const escape = (name: string): string => name.replace(/\r\n|\r|\n/g, '%0D%0A').replace(/"/g, '%22');
  const heads = attachments.map(({ fileName, contentType = DEFAULT_TYPE }) =>
    encoder.encode(
      `--${boundary}\r\nContent-Disposition: form-data; name="${escape(field)}"; filename="${escape(fileName)}"\r\n` +
        `Content-Type: ${contentType.replace(/[\r\n]/g, '')}\r\n\r\n`,
    ),
  );
  const first = encoder.encode(
    Object.entries(fields)
      .map(([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`)
      .join(''),
  );
  const lineEnd = encoder.encode('\r\n');
  const last = encoder.encode(`--${boundary}--\r\n`);

  async function* parts(): AsyncGenerator<Uint8Array, void, undefined> {
    yield first;
    for (const [index, { content }] of attachments.entries()) {
      yield heads[index] ?? lineEnd;
      // Files of a device are never written here.
      yield* read(content as ReadableContent);
      yield lineEnd;
    }
    yield last;
  }

  const sizes = attachments.map(({ content }) => sizeOf(content));
  const framing = [first, last, ...heads].reduce((sum, { byteLength }) => sum + byteLength, 2 * attachments.length);
  const totalBytes = sizes.reduce<number | undefined>(
    (sum, size) => (sum === undefined || size === undefined ? undefined : sum + size),
    framing,
  );
  return { stream: toStream(parts(), onProgress, totalBytes), contentType: `multipart/form-data; boundary=${boundary}` };
}

/** Bytes; undefined for what does not say. */
export function sizeOf(content: AttachmentContent): number | undefined {
  if (isBlob(content)) return content.size;
  return isBytes(content) ? content.byteLength : undefined;
}

async function* read(content: ReadableContent): AsyncGenerator<Uint8Array, void, undefined> {
  if (isBytes(content)) return yield content;
  const source = isBlob(content) ? content.stream() : isStream(content) ? content : await content();
  const reader = source.getReader();
  let isWhole = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      isWhole = done;
      if (done) return;
      yield value;
    }
  } finally {
    if (!isWhole) await reader.cancel().catch(() => undefined);
  }
}

function toStream(
  parts: AsyncGenerator<Uint8Array, void, undefined>,
  onProgress: UploadListener,
  totalBytes: number | undefined,
): ReadableStream<Uint8Array> {
  let sentBytes = 0;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await parts.next();
      if (done) return controller.close();
      controller.enqueue(value);
      sentBytes += value.byteLength;
      onProgress({ sentBytes, totalBytes });
    },
    cancel: async () => void (await parts.return()),
  });
}
