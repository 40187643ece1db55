/** Fields that a logger is given. */
export type LogFields = Readonly<Record<string, unknown>>;

/** What stands in the place of a value that is not to be read. */
export const REDACTED = '[redacted]';

/**
 * What is redacted where the host says nothing: names under which libraries put credentials into the fields of their errors, and what a Redis client was to
 * write.
 */
export const redactDefaults: readonly string[] = [
  '**.authorization',
  '**.proxy-authorization',
  '**.cookie',
  '**.set-cookie',
  '**.x-api-key',
  '**.api_key',
  '**.apikey',
  '**.password',
  '**.passwd',
  '**.secret',
  '**.client_secret',
  '**.token',
  '**.access_token',
  '**.refresh_token',
  '**.id_token',
  '**.private_key',
  '**.privatekey',
  '**.command.args',
];

/** Most paths of a list, and characters of one. */
const PATHS_MAX = 100;
const PATH_MAX = 256;
/** So deep are fields looked at; what lies deeper is not logged. */
const DEPTH_MAX = 8;
/** So many values of one line are looked at; what comes after them is not logged. */
const VALUES_MAX = 2000;

/** A path that is followed, and how far it has come. */
interface Follow {
  readonly names: readonly string[];
  readonly at: number;
}

interface Look {
  left: number;
  readonly within: object[];
}

/**
 * Makes what takes values out of the fields of log lines. A path is names between dots, as `error.config.headers`; `*` stands for one name, `**` for any
 * number of them; large and small letters are the same, and lists are passed through. What it leads to is `[redacted]`, with all that is in it; a `message` is
 * taken out of the stack of its error too. Fields of which nothing is redacted are given back as they are. Of an error of which something is, and of objects
 * of classes, what is logged is a copy, or the name of the class. Throws a `TypeError` for a path that is none.
 */
export function redaction(paths: readonly string[] = redactDefaults): (fields: LogFields) => LogFields {
  if (!Array.isArray(paths) || paths.length > PATHS_MAX) throw new TypeError(`redact must be a list of at most ${PATHS_MAX} paths.`);
  const starts = paths.flatMap((path: unknown, i) => closure({ names: namesOf(path, i), at: 0 }));
  if (starts.length === 0) return (fields) => fields;
  return (fields) => walkFields(fields, starts, { left: VALUES_MAX, within: [] }) as LogFields;
}

function namesOf(path: unknown, i: number): readonly string[] {
  const names = typeof path === 'string' && path.length <= PATH_MAX ? path.toLowerCase().split('.') : [''];
  if (names.some((name) => name === '') || names.at(-1) === '**')
    throw new TypeError(
      `redact[${i}] (${String(JSON.stringify(path))}) is no path: give names between dots, at most ${PATH_MAX} characters, such as "error.config.headers" or "**.password".`,
    );
  return names;
}

/** `**` stands for no name, too. */
function closure(follow: Follow): readonly Follow[] {
  return follow.names[follow.at] === '**' ? [follow, ...closure({ ...follow, at: follow.at + 1 })] : [follow];
}

/** Names of which it is remembered where they lead: those of our own lines are few, and come with every one. */
const NAMES_MAX = 500;
const known = new WeakMap<readonly Follow[], Map<string, readonly Follow[]>>();

function step(follows: readonly Follow[], name: string): readonly Follow[] {
  const steps = known.get(follows) ?? new Map<string, readonly Follow[]>();
  known.set(follows, steps);
  const next = steps.get(name) ?? stepOf(follows, name);
  if (steps.size < NAMES_MAX) steps.set(name, next);
  return next;
}

function stepOf(follows: readonly Follow[], given: string): readonly Follow[] {
  const name = given.toLowerCase();
  return follows.flatMap((follow) => {
    const wanted = follow.names[follow.at];
    if (wanted === '**') return closure(follow);
    return wanted === '*' || wanted === name ? closure({ ...follow, at: follow.at + 1 }) : [];
  });
}

const isThere = ({ names, at }: Follow): boolean => at === names.length;

function walk(value: unknown, follows: readonly Follow[], look: Look): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (look.within.includes(value)) return '[circular]';
  if (look.within.length >= DEPTH_MAX || --look.left < 0) return '[deep]';
  look.within.push(value);
  try {
    if (Array.isArray(value)) return walkList(value, follows, look);
    if (value instanceof Error) return walkError(value, follows, look);
    return isPlain(value) ? walkFields(value, follows, look) : nameOf(value);
  } catch {
    // A getter threw.
    return '[unreadable]';
  } finally {
    look.within.pop();
  }
}

function isPlain(value: object): value is LogFields {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** An object of a class is logged by its name; a date is a date. */
function nameOf(value: object): unknown {
  return value instanceof Date || value instanceof URL ? String(value) : `[${value.constructor.name}]`;
}

function walkList(list: readonly unknown[], follows: readonly Follow[], look: Look): readonly unknown[] {
  const walked = list.map((item) => walk(item, follows, look));
  return walked.some((item, i) => item !== list[i]) ? walked : list;
}

function walkFields(fields: LogFields, follows: readonly Follow[], look: Look): LogFields {
  let copy: Record<string, unknown> | undefined;
  for (const [name, value] of Object.entries(fields)) {
    const walked = walkField(name, value, follows, look);
    if (walked !== value) (copy ??= { ...fields })[name] = walked;
  }
  return copy ?? fields;
}

function walkField(name: string, value: unknown, follows: readonly Follow[], look: Look): unknown {
  const next = step(follows, name);
  return next.some(isThere) ? REDACTED : walk(value, next, look);
}

/** What an error is made of, its own fields and those that are not enumerable; the error itself where nothing of it is redacted. */
function walkError(error: Error, follows: readonly Follow[], look: Look): unknown {
  const { name, message, stack, cause } = error;
  const parts = {
    ...error,
    name,
    message,
    stack,
    ...(cause !== undefined && { cause }),
    ...(error instanceof AggregateError && { errors: error.errors as unknown }),
  };
  const walked: LogFields = walkFields(parts, follows, look);
  if (walked === parts) return error;
  const isSilenced = walked['message'] !== message && message !== '';
  return isSilenced && walked['stack'] === stack ? { ...walked, stack: stack?.replaceAll(message, REDACTED) } : walked;
}
