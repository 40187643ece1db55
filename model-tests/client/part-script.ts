import type { ObservedPart, PartPiece } from 'taskbridge/client/parts';
import { fact, TASK } from '../support/scripted-server.ts';

/** The fact that opens a part. */
export const opened = (n: number, name = 'answer', kind = 'text'): object => fact(n, 'TASK_PART_OPENED', { name, kind });
/** The fact that closes it. */
export const closed = (n: number, part: number, bytes: number, more: object = {}): object =>
  fact(n, 'TASK_PART_CLOSED', { part, bytes, outcome: 'DONE', ...more });
/** Text of it. */
export const frame = (part: number, at: number, text: string, more: object = {}): object => ({
  type: 'PART',
  taskId: TASK,
  part,
  at,
  to: at + Buffer.byteLength(text),
  text,
  ...more,
});
/** The first of a connection. */
export const begin = (part: number, at: number, text: string, more: object = {}): object =>
  frame(part, at, text, { eventId: `${part}-1000`, name: 'answer', kind: 'text', snapshot: true, epoch: 'e1', ...more });

/** What a reader of it takes until its end. */
export async function all(part: ObservedPart): Promise<PartPiece[]> {
  const pieces: PartPiece[] = [];
  for await (const piece of part) pieces.push(piece);
  return pieces;
}
export const joined = (pieces: readonly PartPiece[]): string => pieces.map(({ text }) => text).join('');
