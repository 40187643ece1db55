/** How much JSON may be, beside its bytes. */
export interface JsonBounds {
  /** Most values, lists and objects themselves included. */
  readonly valuesMax: number;
  /** Deepest nesting of lists and objects. */
  readonly nestingMax: number;
}

/** Which bound is passed, and where. */
export interface JsonExcess {
  readonly bound: keyof JsonBounds;
  /** The names and numbers that lead to the place. */
  readonly path: readonly string[];
}

const [QUOTE, COMMA, BACKSLASH, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x22, 0x2c, 0x5c, 0x5b, 0x5d, 0x7b, 0x7d];

/** A list or an object that is open. */
interface Level {
  readonly isList: boolean;
  /** Of a list, where in it the scan is. */
  nth: number;
  /** Of an object, where the last name begins and ends; equal before the first. */
  nameFrom: number;
  nameTo: number;
}

/**
 * Counts what JSON would become, without making anything of it: parsed, the smallest objects take twenty times their bytes. Undefined where it keeps its
 * bounds. What is no JSON may be found to be within them or not: the parser says so.
 */
export function jsonExcess(bytes: Uint8Array, { valuesMax, nestingMax }: JsonBounds): JsonExcess | undefined {
  const levels: Level[] = [];
  let level: Level | undefined;
  let values = 1;
  let isName = false;
  for (let at = 0; at < bytes.length; at += 1) {
    switch (bytes[at]) {
      case QUOTE: {
        const from = at;
        at = endOfText(bytes, at);
        if (isName && level) [level.nameFrom, level.nameTo, isName] = [from, at + 1, false];
        continue;
      }
      case COMMA:
        values += 1;
        if (level) level.nth += 1;
        isName = level?.isList === false;
        break;
      case OPEN_LIST:
      case OPEN_OBJECT:
        level = { isList: bytes[at] === OPEN_LIST, nth: 0, nameFrom: 0, nameTo: 0 };
        if (levels.push(level) > nestingMax) return { bound: 'nestingMax', path: pathOf(bytes, levels.slice(0, -1)) };
        isName = !level.isList;
        if (!isClosing(bytes, at + 1)) values += 1;
        break;
      case CLOSE_LIST:
      case CLOSE_OBJECT:
        levels.pop();
        level = levels.at(-1);
        isName = false;
        continue;
      default:
        continue;
    }
    if (values > valuesMax) return { bound: 'valuesMax', path: pathOf(bytes, levels) };
  }
  return undefined;
}

/** Where the value ends that begins there, as the index after its last byte, in bytes that are JSON. */
export function endOfValue(bytes: Uint8Array, from: number): number {
  let depth = 0;
  for (let at = from; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) at = endOfText(bytes, at);
    else if (byte === OPEN_LIST || byte === OPEN_OBJECT) depth += 1;
    else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth -= 1;
    // What follows the value is no part of it.
    if (depth < 0 || (depth === 0 && byte === COMMA)) return at;
  }
  return bytes.length;
}

/** Where the text ends that begins here: at its closing quote, or beyond the last byte. */
function endOfText(bytes: Uint8Array, from: number): number {
  let at = from + 1;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}

function isClosing(bytes: Uint8Array, from: number): boolean {
  let at = from;
  // Nothing else is space in JSON.
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at += 1;
  return bytes[at] === CLOSE_LIST || bytes[at] === CLOSE_OBJECT;
}

function pathOf(bytes: Uint8Array, levels: readonly Level[]): string[] {
  return levels.flatMap(({ isList, nth, nameFrom, nameTo }) => {
    if (isList) return [String(nth)];
    return nameFrom === nameTo ? [] : [nameOf(bytes.subarray(nameFrom, nameTo))];
  });
}

function nameOf(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('utf8');
  try {
    return JSON.parse(text) as string;
  } catch {
    return text.slice(1, -1);
  }
}
