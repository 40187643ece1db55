/** Longest file name that is kept, in characters. */
const FILE_NAME_CHARACTERS_MAX = 255;

/**
 * The name of an uploaded file: the last segment of what was sent, whichever slash separates it, without control characters and lone
 * surrogates. `upload.bin` where nothing usable is left, so that a name can never lead out of a directory. Source: protocol, "Requests".
 */
export function uploadedFileName(sent: string | undefined): string {
  const segment = (sent ?? '').split(/[/\\]/).at(-1) ?? '';
  // Control characters have no place in a name, and break terminals and headers that repeat it.
  // oxlint-disable-next-line no-control-regex
  const name = segment.replace(/[\u0000-\u001f\u007f\p{Surrogate}]/gu, '').trim();
  return name === '' || name === '.' || name === '..' ? 'upload.bin' : Array.from(name).slice(0, FILE_NAME_CHARACTERS_MAX).join('');
}
