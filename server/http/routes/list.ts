import { taskListQuery } from '../../../machines/lists/index.ts';
import type { ListStep } from '../../task/service.ts';
import { answerInPieces } from '../answer-pieces.ts';
import type { Route, RouteDeps } from '../call.ts';
import { callerError } from '../error-response.ts';
import { allQueryFields } from '../query.ts';
import { validate } from '../validation.ts';

/** What of a list is read, and in memory, at once; or one task, where that is larger. */
const PIECE_BYTES = 256 * 1024;
const BEGIN = Buffer.from('{"tasks":[');
const COMMA = Buffer.from(',');

/**
 * `GET /tasks`: a page of the caller's tasks, newest first. It is read as its peer takes it: where it cannot be read on, or there is no room for more,
 * it ends, and says where to go on.
 */
export function listRoute({ service, unsent, logger }: RouteDeps): Route {
  return async ({ ctx, auth }) => {
    const query = validate(taskListQuery, allQueryFields(ctx.querystring));
    const steps = service.list(auth, query);
    const room = { owner: auth.subject, unsent };
    // What goes wrong before anything is written is answered as an error.
    const first = await gather(steps, null, true);
    let last = first;
    answerInPieces(
      ctx,
      Buffer.concat([BEGIN, ...first.pieces]),
      room,
      first.isEnd
        ? undefined
        : async () => {
            if (last.isEnd) return undefined;
            last = await gatherOn(last.nextAfter).catch((thrown: unknown) => {
              callerError(thrown, logger);
              return ended([], last.nextAfter);
            });
            return Buffer.concat(last.pieces);
          },
    );

    async function gatherOn(nextAfter: string | null): Promise<Gathered> {
      return unsent.hasRoom(auth.subject, PIECE_BYTES) ? gather(steps, nextAfter, false) : ended([], nextAfter);
    }
  };
}

/** Part of an answer. */
interface Gathered {
  readonly pieces: readonly Buffer[];
  readonly nextAfter: string | null;
  /** Nothing follows it. */
  readonly isEnd: boolean;
}

/** Takes steps until there is a piece of them. */
async function gather(steps: AsyncIterator<ListStep, void>, before: string | null, isFirst: boolean): Promise<Gathered> {
  const pieces: Buffer[] = [];
  let nextAfter = before;
  for (let bytes = 0; bytes < PIECE_BYTES;) {
    const { done, value } = await steps.next();
    if (done) return ended(pieces, nextAfter);
    ({ nextAfter } = value);
    if (!value.json) continue;
    if (!isFirst || pieces.length > 0) pieces.push(COMMA);
    pieces.push(value.json);
    bytes += value.json.length;
  }
  return { pieces, nextAfter, isEnd: false };
}

function ended(pieces: readonly Buffer[], nextAfter: string | null): Gathered {
  return { pieces: [...pieces, Buffer.from(`],"nextAfter":${JSON.stringify(nextAfter)}}`)], nextAfter, isEnd: true };
}
