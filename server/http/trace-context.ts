import type { TraceContext } from '../ports/tracing.ts';

/** Source: W3C Trace Context, "traceparent Header". Of a version after 00, what is known of it comes first. */
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
/** Longer ones are nobody's. */
const TRACEPARENT_MAX = 256;
const SAMPLED = 0x01;
/** Source: W3C Trace Context, "tracestate Header": members in all, and what everybody has to pass on. */
const TRACESTATE_MEMBERS_MAX = 32;
const TRACESTATE_MAX = 512;
const MEMBER =
  /^(?:[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/**
 * Where a request stands in its caller's trace. Undefined where its `traceparent` is missing or is none: a bad one is nobody's fault here, and begins
 * a new trace. A `tracestate` that is none, or is longer than 512 characters, is left out alone.
 */
export function traceContextOf(headers: Readonly<Partial<Record<string, string | readonly string[]>>>): TraceContext | undefined {
  const traceparent = textOf(headers['traceparent']);
  if (traceparent === undefined || traceparent.length > TRACEPARENT_MAX) return undefined;
  const [, version, traceId, spanId, flags, more] = TRACEPARENT.exec(traceparent) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if (version === 'ff' || (version === '00' && more !== undefined) || /^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  // Of the flags one is known; what else is set there says nothing to who comes next.
  const sampled = (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED ? '01' : '00';
  const tracestate = stateOf(textOf(headers['tracestate']));
  return { traceparent: `00-${traceId}-${spanId}-${sampled}`, ...(tracestate !== undefined && { tracestate }) };
}

/** Node joins headers of one name that it does not know. */
function textOf(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' ? header.trim() : header?.join(',');
}

function stateOf(text: string | undefined): string | undefined {
  if (text === undefined || text.length > TRACESTATE_MAX) return undefined;
  const members = text.split(',').flatMap((member) => member.trim() || []);
  const keys = new Set(members.map((member) => member.split('=')[0]));
  const isSound = members.length > 0 && members.length <= TRACESTATE_MEMBERS_MAX && keys.size === members.length;
  return isSound && members.every((member) => MEMBER.test(member)) ? members.join(',') : undefined;
}
