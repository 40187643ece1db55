import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { Busboy, type BusboyInstance } from '@fastify/busboy';
import { TaskBridgeError } from '../../errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { HttpOptions } from '../options.ts';
import { receiveBody } from '../request-body.ts';

/** One part of a multipart body, as it begins. */
export interface Part {
  readonly name: string | undefined;
  /** As sent, with any path; undefined where the part has none, which is not the same as an empty one. */
  readonly fileName: string | undefined;
  /** As sent; undefined where the part has none. */
  readonly contentType: string | undefined;
  /** Must be read or resumed: the next part waits behind it. */
  readonly bytes: Readable;
}

/** A multipart body that is being taken apart. */
export interface PartsReader {
  /** Resolves once the last part was read; rejects with the first failure, after which every open part is destroyed with it. */
  readonly done: Promise<void>;
  fail(error: Error): void;
}

const PARTS_MAX = 1000;
const malformed = (why: string) => new TaskBridgeError('INVALID_REQUEST', `The multipart body is malformed: ${why}.`);

/** Takes a multipart body apart as it arrives. Its failures are `INVALID_REQUEST` and `PAYLOAD_TOO_LARGE`. */
export function readParts(req: IncomingMessage, options: HttpOptions, clock: Clock, onPart: (part: Part) => void): PartsReader {
  const busboy = openBusboy(req);
  const contentTypes = sentContentTypes(busboy);
  const open = new Set<Readable>();
  let settled = false;
  let release = () => {};
  let settle: { resolve: () => void; reject: (error: Error) => void };
  const done = new Promise<void>((resolve, reject) => (settle = { resolve, reject }));

  const fail = (error: Error) => {
    if (settled) return;
    settled = true;
    release();
    for (const bytes of open) bytes.destroy(error);
    settle.reject(error);
  };
  busboy
    .on('file', (name: string | undefined, bytes, fileName: string | undefined, _encoding, mimeType) => {
      open.add(bytes);
      // A part that nobody reads any more may still be destroyed with an error.
      bytes.once('close', () => open.delete(bytes)).on('error', () => {});
      if (settled) return void bytes.resume();
      try {
        onPart({ name, fileName, contentType: contentTypes ? contentTypes.current : mimeType, bytes });
      } catch (error) {
        fail(error as Error);
      }
    })
    .on('partsLimit', () => fail(malformed(`it has more than ${PARTS_MAX} parts`)))
    .on('error', () => fail(malformed('it ends early, or a boundary is missing')))
    .on('finish', () => {
      if (settled) return;
      settled = true;
      settle.resolve();
    });
  release = receiveBody(req, options.uploadRequestBytesMax, options, clock, {
    chunk(bytes) {
      try {
        if (busboy.write(bytes)) return;
      } catch {
        return fail(malformed('a part cannot be read'));
      }
      req.pause();
      busboy.once('drain', () => void (settled || req.resume()));
    },
    end: () => void busboy.end(),
    fail,
  });
  return { done, fail };
}

function openBusboy(req: IncomingMessage): BusboyInstance {
  const contentType = req.headers['content-type'] ?? '';
  try {
    return new Busboy({
      headers: { ...req.headers, 'content-type': contentType },
      // Every part comes as a stream: which of them are text is for us to say, and their limits too.
      isPartAFile: () => true,
      preservePath: true,
      limits: { parts: PARTS_MAX, headerPairs: 32, headerSize: 16 * 1024 },
    });
  } catch {
    throw malformed('its content type names no boundary');
  }
}

/**
 * Busboy reports `text/plain` for a part that has no Content-Type, so that the two cannot be told apart. Its parser below does show the
 * headers of each part; ours are asked first. Undefined where a version of it is built otherwise: then its report has to do.
 */
function sentContentTypes(busboy: BusboyInstance): { current: string | undefined } | undefined {
  // The inner parser is not part of the declared types; everything read from it is checked.
  const parser = (busboy as { _parser?: { parser?: NodeJS.EventEmitter } })._parser?.parser;
  if (typeof parser?.prependListener !== 'function') return undefined;
  const seen: { current: string | undefined } = { current: undefined };
  parser.prependListener('part', (part: NodeJS.EventEmitter) => {
    part.prependOnceListener('header', (header: Readonly<Record<string, readonly string[]>>) => {
      seen.current = header['content-type']?.[0]?.trim() || undefined;
    });
  });
  return seen;
}
