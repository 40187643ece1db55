import { tellHost } from './host-sink.ts';
import type { Logger } from './observability.ts';
import { redaction, type LogFields as Fields } from './redaction.ts';

type Level = 'warn' | 'error' | 'info' | 'debug';

/** pino's verbs also take the fields first, and need them there. */
type FieldsFirst = Partial<Readonly<Record<Level, (fields: object, message: string) => unknown>>>;

/**
 * Makes one port of what a host logs with, found out here, once: what has `bindings()` is pino and takes the fields first, with an error as
 * `err`, where its serializer looks; what has `configure()` is winston and takes the message first, with an error as plain fields, since its
 * formats would write `{}`; all else, the console too, takes the message first and the fields as they are. A logger that throws or rejects
 * touches nobody. What `redact` names is taken out of the fields before (see `redaction`). Without one, the console gets warnings and errors, and is not flooded with the rest. Throws a `TypeError` for one without `warn` or `error`.
 */
export function hostLogger(given?: Logger, redact?: readonly string[]): Logger {
  const redacted = redaction(redact);
  const target: Logger = given ?? console;
  for (const level of ['warn', 'error'] as const)
    if (typeof target[level] !== 'function')
      throw new TypeError(`logger has no ${level}(): give pino, winston, the console, or an object with warn and error.`);
  const write = writerFor(target);
  const at = (level: Level) => (message: string, fields?: Fields) =>
    tellHost(() => write(level, message, fields && redacted(fields)), nobodyLeft);
  return {
    warn: at('warn'),
    error: at('error'),
    ...(given?.info && { info: at('info') }),
    ...(given?.debug && { debug: at('debug') }),
    ...(given?.isLevelEnabled && { isLevelEnabled: (level) => isOn(given, level) }),
  };
}

/** There is nobody left to tell. */
const nobodyLeft = (): void => undefined;

function isOn(given: Logger, level: 'info' | 'debug'): boolean {
  let isEnabled: unknown;
  tellHost(() => (isEnabled = given.isLevelEnabled?.(level)), nobodyLeft);
  return isEnabled === true;
}

function writerFor(given: Logger): (level: Level, message: string, fields: Fields | undefined) => unknown {
  if ('bindings' in given) {
    // What the port does not say of it: its verbs allow both orders.
    const fieldsFirst = given as unknown as FieldsFirst;
    return (level, message, fields) => {
      const { error, ...others } = fields ?? {};
      return fieldsFirst[level]?.(
        error === undefined ? others : { ...others, err: error instanceof Error ? error : plain(error) },
        message,
      );
    };
  }
  const isWinston = 'configure' in given;
  return (level, message, fields) => {
    if (fields === undefined) return given[level]?.(message);
    return given[level]?.(message, isWinston ? plainFields(fields) : fields);
  };
}

function plainFields(fields: Fields): Fields {
  try {
    return plain(fields) as Fields;
  } catch {
    // A getter threw: the message is worth more than its fields.
    return {};
  }
}

/** So deep are causes and the errors of an `AggregateError` told, and so many of those: enough to find what happened. */
const DEPTH_MAX = 6;
const ERRORS_MAX = 10;

/**
 * Errors as plain fields, also those inside of objects: their own are not enumerable, so that JSON has nothing of them. `within` is what a value
 * stands in: an error can be its own cause, and one object may refer to itself.
 */
function plain(value: unknown, within: readonly object[] = []): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (within.includes(value)) return '[circular]';
  const isError = value instanceof Error;
  if (!isError && !Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return value;
  if (within.length >= DEPTH_MAX) return isError ? String(value) : '[deep]';
  const inside = [...within, value];
  if (Array.isArray(value)) return value.map((item: unknown) => plain(item, inside));
  const fields = Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plain(field, inside)]));
  if (!isError) return fields;
  const { name, message, stack, cause } = value;
  return {
    ...fields,
    name,
    message,
    stack,
    ...(cause !== undefined && { cause: plain(cause, inside) }),
    ...(value instanceof AggregateError && { errors: value.errors.slice(0, ERRORS_MAX).map((error: unknown) => plain(error, inside)) }),
  };
}
