import { Readable } from 'node:stream';
import type Koa from 'koa';
import { answerJson } from './call.ts';
import { SMALL_ANSWER_BYTES, type UnsentBytes } from './unsent-bytes.ts';

/** What is written at once: a peer who reads slowly, but reads, is seen to. */
const WRITE_BYTES = 64 * 1024;

/** Whom an answer is for, and where its bytes are counted. */
export interface AnswerRoom {
  readonly owner: string;
  readonly unsent: UnsentBytes;
}

/** Gives the next piece of an answer, undefined at its end. Never rejects. */
export type NextPiece = () => Promise<Buffer | undefined>;

/**
 * Answers with JSON that nobody may keep, a piece at a time: each is made when the peer has taken the one before, and counted until then. Without
 * a `next` the first is all of it.
 *
 * Throws `RATE_LIMITED` where there is no room for the first one, before anything is written.
 */
export function answerInPieces(ctx: Koa.Context, first: Buffer, room: AnswerRoom, next?: NextPiece): void {
  if (!next && first.length <= SMALL_ANSWER_BYTES) return answerJson(ctx, 200, first);
  const stream = piecesStream(first, room, next);
  answerJson(ctx, 200, stream);
  if (!next) ctx.length = first.length;
}

function piecesStream(first: Buffer, { owner, unsent }: AnswerRoom, next: NextPiece | undefined): Readable {
  let [piece, at] = [first, 0];
  let release = unsent.hold(owner, first.length);
  const letGo = (): void => {
    release();
    release = () => undefined;
  };
  const give = async (): Promise<void> => {
    if (at >= piece.length) {
      letGo();
      const following = await next?.();
      if (stream.destroyed) return;
      if (!following) return void stream.push(null);
      [piece, at] = [following, 0];
      release = unsent.count(owner, piece.length);
    }
    const from = at;
    at += WRITE_BYTES;
    stream.push(piece.subarray(from, at));
  };
  const stream: Readable = new Readable({
    // It is asked when the connection has taken what it was given: nothing is made beforehand.
    highWaterMark: 0,
    read: () => void give(),
    destroy(error, done) {
      letGo();
      done(error);
    },
  });
  return stream;
}
