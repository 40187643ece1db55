import * as z from 'zod/mini';
import { limits } from './limits.ts';

/** Any JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
/** A JSON object. A field that is undefined is one that is not there. */
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}
/**
 * What may be given where JSON is sent: also an interface, which TypeScript does not take for a {@link JsonObject}. A field that JSON cannot carry
 * (a function, a bigint, a `Date` or a `Map`) becomes `never`, so that the compiler refuses it.
 */
export type JsonLike<T> = T extends Json | undefined
  ? T
  : T extends ((...args: never) => unknown) | bigint | symbol
    ? never
    : T extends object
      ? { readonly [K in keyof T]: JsonLike<T[K]> }
      : never;

const LONE_SURROGATE = /[\uD800-\uDFFF]/u;

/** Why a value is no JSON that the protocol carries, or `undefined` where it is. */
export function jsonFault(value: unknown, depth = 1): string | undefined {
  if (typeof value === 'string') return LONE_SURROGATE.test(value) ? 'has a lone surrogate, which no encoder can carry' : undefined;
  if (value === null || typeof value === 'boolean') return undefined;
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : 'is no finite number';
  if (typeof value !== 'object') return `is no JSON value (${typeof value})`;
  if (depth > limits.nestingMax) return `is nested deeper than ${limits.nestingMax}`;
  if (Array.isArray(value)) return listFault(value, depth);
  for (const key of Object.keys(value)) {
    const fault = jsonFault(key, depth) ?? jsonFault((value as Record<string, unknown>)[key], depth + 1);
    if (fault) return fault;
  }
  return undefined;
}

/** The names of a list's places are no texts that anybody wrote: not made, a long list costs a fraction. */
function listFault(list: readonly unknown[], depth: number): string | undefined {
  for (let nth = 0; nth < list.length; nth += 1) {
    const fault = nth in list ? jsonFault(list[nth], depth + 1) : undefined;
    if (fault) return fault;
  }
  return undefined;
}

const soundJson = z.check<unknown>((payload) => {
  const fault = jsonFault(payload.value);
  if (fault) payload.issues.push({ code: 'custom', message: fault, input: payload.value });
});

/** A JSON object of any content, within the limits of {@link jsonFault}. Arrays and null are refused. */
export const jsonObject = z.custom<JsonObject>().check(
  z.check<unknown>((payload) => {
    const value = payload.value;
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      payload.issues.push({ code: 'custom', message: 'must be an object', input: value });
  }),
  soundJson,
);

/** A JSON value of any kind, within the limits of {@link jsonFault}; `undefined` is refused. */
export const jsonValue = z.custom<Json>().check(soundJson);

/** Text whose characters an encoder can carry, of at most `charactersMax`; it may be empty, unless the caller adds `z.minLength(1)`. */
export function text(charactersMax: number) {
  return z.string().check(
    z.maxLength(charactersMax),
    z.refine((value: string) => !LONE_SURROGATE.test(value), 'has a lone surrogate, which no encoder can carry'),
  );
}

/** Text that says something: 1 to `charactersMax` characters, not blank. */
export function nonBlankText(charactersMax: number) {
  return text(charactersMax).check(z.refine((value: string) => value.trim() !== '', 'must not be blank'));
}

/** A text id or type: 1–256 characters, not blank. Source: protocol, "Requests". */
export const textId = nonBlankText(limits.textIdCharactersMax);
