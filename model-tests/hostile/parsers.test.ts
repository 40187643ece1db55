import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import * as fc from 'fast-check';
import { compareEventIds, isCursor, jsonFault, parseEventId, pollQuery, subscribeFrame, type Json } from 'taskbridge/wire';
import { TaskBridgeError } from 'taskbridge/server';
import { describe, expect, it } from 'vitest';
import { parseJson } from '../../server/http/json-body.ts';
import { uploadedContentType } from '../../server/http/multipart/content-types.ts';
import { uploadedFileName } from '../../server/http/multipart/file-name.ts';
import { originSet, refuseForeignOrigin } from '../../server/http/origin.ts';
import { queryFields } from '../../server/http/query.ts';
import { mediaTypeOf } from '../../server/http/request-body.ts';
import { moveBearerToken } from '../../server/http/web-socket/handshake.ts';
import { grantedExtensions } from '../../server/live/extensions.ts';
import { endOfValue, jsonExcess } from '../../server/json-scan.ts';
import { canonicalJson } from '../../server/task/content-hash.ts';
import { positionOf } from '../../server/live/log-position.ts';

const runs = { numRuns: 2000 };
const anyText = fc.oneof(fc.string({ unit: 'binary', maxLength: 60 }), fc.string({ maxLength: 60 }), fc.stringMatching(/^[\d-]{0,40}$/));
const id = fc.tuple(fc.integer({ min: 1, max: 10 ** 15 }), fc.integer({ min: 0, max: 10 ** 15 })).map(([n, ms]) => `${n}-${ms}`);
// What a request's head can be made of, for what reads nothing else of it.
const requestWith = (headers: IncomingHttpHeaders) => ({ headers }) as IncomingMessage;

/** Gives what was thrown: a refusal with its code, or the error itself. */
function thrownBy(read: () => unknown): unknown {
  try {
    read();
    return undefined;
  } catch (error) {
    return error instanceof TaskBridgeError ? error.code : error;
  }
}

describe('a cursor', () => {
  it('is taken only where it can be read, and is its own order', () =>
    fc.assert(
      fc.property(fc.oneof(anyText, id), (text) => {
        if (!isCursor(text)) return;
        const { n } = positionOf(text);
        expect(Number.isSafeInteger(n) && n >= 0).toBe(true);
        expect(compareEventIds(text, text)).toBe(0);
      }),
      runs,
    ));

  it('of two is before, after or the same, both ways alike; of three the order holds', () =>
    fc.assert(
      fc.property(id, id, id, (a, b, c) => {
        const [ab, bc, ac] = [compareEventIds(a, b), compareEventIds(b, c), compareEventIds(a, c)].map((one) =>
          Math.sign(one ?? Number.NaN),
        );
        expect(Math.sign(compareEventIds(b, a) ?? Number.NaN) + (ab ?? 0)).toBe(0);
        if (ab === bc) expect(ac).toBe(ab);
      }),
      runs,
    ));

  it('of another form is compared with none', () =>
    fc.assert(
      fc.property(anyText, id, (text, other) => {
        if (parseEventId(text) === undefined && text !== other) expect(compareEventIds(text, other)).toBeUndefined();
      }),
      runs,
    ));
});

const bounds = { valuesMax: 1_000_000, nestingMax: 1000 };

/** As many as there are, counted in what was parsed. */
function countValues(value: unknown): number {
  return typeof value === 'object' && value !== null ? Object.values(value).reduce<number>((sum, one) => sum + countValues(one), 1) : 1;
}

/** The rule of the canonical text, as it is written down. */
function plainCanonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map((item: Json) => plainCanonical(item)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value as { readonly [key: string]: Json }).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${plainCanonical(member)}`).join(',')}}`;
}

const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;

describe('JSON bytes', () => {
  it.each([0, 2])('are counted as they would be parsed, written with an indent of %i', (indent) =>
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const bytes = Buffer.from(JSON.stringify(value, null, indent));
        const [values, depth] = [countValues(value), depthOf(value)];
        expect(jsonExcess(bytes, { valuesMax: values, nestingMax: depth })).toBeUndefined();
        if (values > 1) expect(jsonExcess(bytes, { valuesMax: values - 1, nestingMax: depth })?.bound).toBe('valuesMax');
        if (depth > 0) expect(jsonExcess(bytes, { valuesMax: values, nestingMax: depth - 1 })?.bound).toBe('nestingMax');
        expect(endOfValue(Buffer.concat([bytes, Buffer.from('}, ]')]), 0)).toBe(bytes.length);
      }),
      runs,
    ),
  );

  it('have a canonical text that does not depend on the order of names', () =>
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const json = JSON.parse(JSON.stringify(value)) as Json;
        expect(JSON.parse(canonicalJson(json))).toEqual(json);
        expect(canonicalJson(json)).toBe(plainCanonical(json));
      }),
      runs,
    ));

  it('are a value, or a refusal', () =>
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          anyText.map((text) => Buffer.from(text)),
          fc.json().map((text) => Buffer.from(text)),
        ),
        (bytes) => {
          expect([undefined, 'INVALID_REQUEST']).toContain(thrownBy(() => parseJson(bytes, 'The body', bounds)));
        },
      ),
      runs,
    ));

  it('that are sound are what an encoder gives back', () =>
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const parsed = parseJson(Buffer.from(JSON.stringify(value)), 'The body', bounds);
        if (jsonFault(parsed) === undefined) expect(Buffer.from(JSON.stringify(parsed)).toString()).toBe(JSON.stringify(parsed));
      }),
      runs,
    ));

  it('of a frame ask for one task, or for nothing', () =>
    fc.assert(
      fc.property(fc.jsonValue(), fc.oneof(anyText, id), (value, cursor) => {
        const frame: unknown = { action: 'subscribe', taskId: 'x', lastEventId: cursor };
        expect(subscribeFrame.safeParse(frame).success).toBe(isCursor(cursor));
        expect(subscribeFrame.safeParse(value).success).toBe(false);
      }),
      runs,
    ));
});

describe('a query', () => {
  const names = ['afterEventId', 'waitTimeoutMs', 'maxEvents', '__proto__', 'constructor'];
  it('has each field once, and none of the prototype', () =>
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.oneof(fc.constantFrom(...names), anyText), anyText), { maxLength: 6 }), (pairs) => {
        const search = pairs.map((pair) => pair.map((text) => encodeURIComponent(Buffer.from(text).toString())).join('=')).join('&');
        const thrown = thrownBy(() => {
          const fields = queryFields(search, names.slice(0, 3));
          for (const name of Object.keys(fields)) expect(names.slice(0, 3)).toContain(name);
          expect(Object.getPrototypeOf(fields)).toBe(Object.prototype);
        });
        const isTwice = names.slice(0, 3).some((name) => pairs.filter(([field]) => field === name).length > 1);
        expect(thrown).toBe(isTwice ? 'REQUEST_VALIDATION_ERROR' : undefined);
      }),
      runs,
    ));

  it('gives whole numbers within their limits, whatever was sent', () =>
    fc.assert(
      fc.property(fc.oneof(anyText, fc.double().map(String), fc.integer().map(String), fc.bigInt().map(String)), (text) => {
        const parsed = pollQuery.safeParse({ waitTimeoutMs: text, maxEvents: text });
        if (!parsed.success) return;
        const { waitTimeoutMs, maxEvents } = parsed.data;
        expect([Number(text), waitTimeoutMs >= 0 && waitTimeoutMs <= 60_000, maxEvents >= 1 && maxEvents <= 500]).toEqual([
          waitTimeoutMs,
          true,
          true,
        ]);
      }),
      runs,
    ));

  it('grants the extensions that are known, each once', () =>
    fc.assert(
      fc.property(fc.oneof(anyText, fc.array(fc.constantFrom('gap', 'multiplex', '', ' ', 'GAP', '__proto__')).map(String)), (text) => {
        const granted = grantedExtensions(text) ?? [];
        expect(new Set(granted).size).toBe(granted.length);
        for (const one of granted) expect(['gap', 'multiplex']).toContain(one);
      }),
      runs,
    ));
});

describe('a header', () => {
  it('with a token among the subprotocols becomes printable credentials, or a refusal', () =>
    fc.assert(
      fc.property(
        fc.array(fc.oneof(anyText, fc.constantFrom('taskbridge.v1', 'bearer.YQ', 'bearer.', 'bearer.YQ==')), { maxLength: 5 }),
        fc.option(fc.string(), { nil: undefined }),
        (protocols, authorization) => {
          const headers: IncomingHttpHeaders = {
            'sec-websocket-protocol': protocols.join(', '),
            ...(authorization !== undefined && { authorization }),
          };
          const thrown = thrownBy(() => moveBearerToken(requestWith(headers)));
          expect([undefined, 'AUTHENTICATION_ERROR']).toContain(thrown);
          if (authorization !== undefined) expect(headers.authorization).toBe(authorization);
          else if (headers.authorization !== undefined) expect(headers.authorization).toMatch(/^Bearer [\x21-\x7e]+$/);
          if (thrown === undefined) expect(headers['sec-websocket-protocol'] ?? '').not.toMatch(/(^|, )bearer\./);
        },
      ),
      runs,
    ));

  it('that names an origin is allowed only where it is this host or on the list', () =>
    fc.assert(
      fc.property(
        fc.oneof(
          anyText,
          fc.webUrl(),
          fc.constantFrom('null', 'https://app.example', 'https://app.example.evil.com', 'HTTPS://APP.EXAMPLE'),
        ),
        fc.oneof(anyText, fc.constantFrom('app.example', 'h:80')),
        (origin, host) => {
          const thrown = thrownBy(() =>
            refuseForeignOrigin(requestWith({ cookie: 'a=b', origin, host }), originSet(['https://app.example'])),
          );
          expect([undefined, 'ORIGIN_NOT_ALLOWED']).toContain(thrown);
          if (thrown !== undefined) return;
          const page = new URL(origin);
          if (page.origin !== 'https://app.example') expect(new URL(`${page.protocol}//${host.trim()}`).host).toBe(page.host);
        },
      ),
      runs,
    ));

  it('of a content type has a media type without blanks, capitals and parameters', () =>
    fc.assert(
      fc.property(anyText, (text) => {
        const type = mediaTypeOf(text);
        expect([type.trim(), type.toLowerCase(), type.includes(';')]).toEqual([type, type, false]);
        expect(uploadedContentType(text)).toMatch(/^[\x20-\x7e]{1,255}$/);
      }),
      runs,
    ));

  it('that names a file gives a name that leads nowhere and that every encoder carries', () =>
    fc.assert(
      fc.property(
        fc.oneof(
          anyText,
          fc.array(fc.constantFrom('..', '.', '/', '\\', 'a', '\u0000', '\ud800', ' ', 'ß', '😀', '%2f')).map((all) => all.join('')),
        ),
        (text) => {
          const name = uploadedFileName(text);
          expect(name).toMatch(/^[^/\\\u0000-\u001f\u007f]+$/u);
          expect([!/\p{Surrogate}/u.test(name), name === '.' || name === '..', Array.from(name).length <= 255]).toEqual([
            true,
            false,
            true,
          ]);
        },
      ),
      runs,
    ));
});
