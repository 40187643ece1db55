/** What stands behind a backslash for a byte that JSON escapes; 0 for all others. */
const ESCAPES = new Uint8Array(256);
const UNICODE = 0x75;
const BACKSLASH = 0x5c;
const QUOTE = 0x22;
const ZERO = 0x30;
const LETTER_OF_TEN = 0x61;
ESCAPES.fill(UNICODE, 0, 0x20);
ESCAPES[QUOTE] = QUOTE;
ESCAPES[BACKSLASH] = BACKSLASH;
for (const [byte, letter] of Object.entries({ 8: 'b', 9: 't', 10: 'n', 12: 'f', 13: 'r' })) ESCAPES[Number(byte)] = letter.charCodeAt(0);

/** Four bytes at once are looked at, as one number. */
const FOUR_ONES = 0x01010101;
const FOUR_SPACES = 0x20 * FOUR_ONES;
const FOUR_QUOTES = QUOTE * FOUR_ONES;
const FOUR_BACKSLASHES = BACKSLASH * FOUR_ONES;
const HIGHEST_BITS = 0x80808080;

/** The bytes of an escape, at most, for each byte of a text. */
export const ESCAPE_BYTES_MAX = 6;

/**
 * Writes a text of UTF-8 as it stands within the quotes of JSON, as `JSON.stringify` has it; gives where it ends. `into` has room for {@link ESCAPE_BYTES_MAX} times
 * as much behind `at`. No string is made: a long text is framed for whoever comes late, and strings would be most of what that costs.
 */
export function writeJsonText(text: Uint8Array, into: Uint8Array, at: number): number {
  const { byteLength } = text;
  const from = new DataView(text.buffer, text.byteOffset, byteLength);
  const to = new DataView(into.buffer, into.byteOffset, into.byteLength);
  let end = at;
  // One loop: what stands behind a long one has run as seldom as it was called, and is compiled, and thrown away, again and again.
  for (let place = 0; place < byteLength;) {
    if (place + 4 > byteLength) {
      end = writeByte(from.getUint8(place++), into, end);
      continue;
    }
    const four = from.getInt32(place, true);
    const quotes = four ^ FOUR_QUOTES;
    const slashes = four ^ FOUR_BACKSLASHES;
    // A byte's highest bit is set where that is below a space, a quote or a backslash; those of later bytes are right where no earlier one is set.
    const below = (four - FOUR_SPACES) & ~four;
    const escaped = (below | ((quotes - FOUR_ONES) & ~quotes) | ((slashes - FOUR_ONES) & ~slashes)) & HIGHEST_BITS;
    to.setInt32(end, four, true);
    const plain = escaped === 0 ? 4 : (31 - Math.clz32(escaped & -escaped)) >> 3;
    end += plain;
    place += plain;
    if (plain < 4) end = writeByte(from.getUint8(place++), into, end);
  }
  return end;
}

function writeByte(byte: number, into: Uint8Array, at: number): number {
  const escape = ESCAPES[byte] ?? 0;
  if (escape === 0) {
    into[at] = byte;
    return at + 1;
  }
  into[at] = BACKSLASH;
  into[at + 1] = escape;
  if (escape !== UNICODE) return at + 2;
  const low = byte & 0xf;
  into[at + 2] = ZERO;
  into[at + 3] = ZERO;
  into[at + 4] = ZERO + (byte >> 4);
  into[at + 5] = low + (low < 10 ? ZERO : LETTER_OF_TEN - 10);
  return at + ESCAPE_BYTES_MAX;
}
