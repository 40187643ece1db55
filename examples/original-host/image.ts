import type { Readable } from 'node:stream';

const HEAD_BYTES = 24;
const beginnings: readonly (readonly [format: string, hex: string])[] = [
  ['png', '89504e470d0a1a0a'],
  ['jpeg', 'ffd8ff'],
  ['gif', '47494638'],
];

/** What the first bytes of a file say of it: its format, and of a PNG how large it is. Reads no further. */
export async function labelsOf(file: Readable): Promise<string[]> {
  let head = Buffer.alloc(0);
  for await (const chunk of file) {
    head = Buffer.concat([head, chunk as Buffer]);
    if (head.length >= HEAD_BYTES) break;
  }
  const format = beginnings.find(([, hex]) => head.toString('hex').startsWith(hex))?.[0];
  if (format !== 'png' || head.length < HEAD_BYTES) return [format ?? 'no image'];
  return [format, `${head.readUInt32BE(16)} by ${head.readUInt32BE(20)} pixels`];
}
