import { limits } from '../../machines/wire/index.ts';

/** Limits of the HTTP router. Every one has a default in {@link httpDefaults}. */
export interface HttpOptions {
  /** Largest JSON body, in bytes (413). Defaults to 1 MiB. */
  readonly bodyBytesMax: number;
  /** Most values of a JSON body, lists and objects themselves included (422): a small value costs many times its bytes in memory. Defaults to 20 000. */
  readonly bodyValuesMax: number;
  /** Largest uploaded file, in bytes (400). Defaults to 10 MiB. */
  readonly uploadBytesMax: number;
  /** Most files of one request (400). Defaults to 16. */
  readonly uploadFilesMax: number;
  /** Largest multipart request, in bytes (413). Defaults to 64 MiB. */
  readonly uploadRequestBytesMax: number;
  /** Text fields of one multipart request together, in bytes (413). Defaults to 256 KiB. */
  readonly uploadFieldsBytesMax: number;
  /** Media types that may be uploaded: `text/csv`, `image/*`. Defaults to none listed, which allows all. */
  readonly uploadContentTypes: readonly string[];
  /** A body that has not arrived whole after that long is refused (400), in milliseconds. Defaults to 5 minutes; at most 30. */
  readonly requestTimeoutMs: number;
  /** After a refusal, that much of a body that is still being sent is read and thrown away, so that the client sees the answer. Defaults to 128 MiB. */
  readonly drainBytesMax: number;
  /** … and for that long, in milliseconds. Defaults to 30 seconds. */
  readonly drainMs: number;
  /** Requests of one connection that may wait until those before them are answered; one more ends the connection. Defaults to 32. */
  readonly pipelinedMax: number;
  /** Bytes of large answers that may wait in this process for peers that do not read them (429). Defaults to 128 MiB. */
  readonly unsentBytesMax: number;
  /** … and of one owner (429). Defaults to 16 MiB. */
  readonly unsentBytesPerOwnerMax: number;
  /** A readiness probe that has not answered after that long counts as not ready, in milliseconds. Defaults to 2 seconds. */
  readonly probeTimeoutMs: number;
}

/** What holds where the host says nothing. */
export const httpDefaults: HttpOptions = {
  bodyBytesMax: limits.bodyBytesMax,
  bodyValuesMax: 20_000,
  uploadBytesMax: 10 * 1024 * 1024,
  uploadFilesMax: 16,
  uploadRequestBytesMax: 64 * 1024 * 1024,
  uploadFieldsBytesMax: 256 * 1024,
  uploadContentTypes: [],
  requestTimeoutMs: 300_000,
  drainBytesMax: 128 * 1024 * 1024,
  drainMs: 30_000,
  pipelinedMax: 32,
  unsentBytesMax: 128 * 1024 * 1024,
  unsentBytesPerOwnerMax: 16 * 1024 * 1024,
  probeTimeoutMs: 2_000,
};

const MEDIA_TYPE = /^[\w!#$&^.+-]+\/(\*|[\w!#$&^.+-]+)$/;
/** No upload may take longer: files that no task references are swept after an hour. */
const REQUEST_TIMEOUT_MS_MAX = 30 * 60_000;
/** The longest delay that a timer takes. */
const DELAY_MS_MAX = 2 ** 31 - 1;

/** Fills in the defaults and throws a `RangeError` that says which option is wrong, and why. */
export function httpOptions(given: Partial<HttpOptions> = {}): HttpOptions {
  const known = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const options: HttpOptions = { ...httpDefaults, ...known };
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(httpDefaults, name))
      throw new RangeError(`${name} is no option of the HTTP router; known are ${Object.keys(httpDefaults).join(', ')}.`);
    if (name === 'uploadContentTypes') continue;
    const least = name.startsWith('drain') ? 0 : 1;
    const most = name.endsWith('Ms') ? DELAY_MS_MAX : Number.MAX_SAFE_INTEGER;
    if (!Number.isInteger(value) || value < least || value > most)
      throw new RangeError(`${name} (${String(value)}) must be a whole number from ${least} to ${most}.`);
  }
  if (options.requestTimeoutMs > REQUEST_TIMEOUT_MS_MAX)
    throw new RangeError(
      `requestTimeoutMs (${options.requestTimeoutMs}) must not be above ${REQUEST_TIMEOUT_MS_MAX}: files of a longer upload could be swept before its task exists.`,
    );
  if (options.uploadBytesMax > options.uploadRequestBytesMax)
    throw new RangeError(
      `uploadBytesMax (${options.uploadBytesMax}) must not be above uploadRequestBytesMax (${options.uploadRequestBytesMax}): such a file could never arrive.`,
    );
  if (options.unsentBytesPerOwnerMax > options.unsentBytesMax)
    throw new RangeError(
      `unsentBytesPerOwnerMax (${options.unsentBytesPerOwnerMax}) must not be above unsentBytesMax (${options.unsentBytesMax}): one owner could take all of it.`,
    );
  for (const type of options.uploadContentTypes)
    if (!MEDIA_TYPE.test(type))
      throw new RangeError(`uploadContentTypes: ${JSON.stringify(type)} is no media type; write it like "text/csv" or "image/*".`);
  return options;
}
