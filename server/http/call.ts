import { Readable } from 'node:stream';
import type Koa from 'koa';
import type { AttachmentStore } from '../ports/attachments.ts';
import type { AuthContext, UploadPolicy } from '../ports/auth.ts';
import type { ServerChance } from '../ports/chance.ts';
import type { Clock } from '../ports/clock.ts';
import type { RecordWriter } from '../observability/record-writer.ts';
import type { Logger } from '../ports/observability.ts';
import type { TaskService } from '../task/service.ts';
import type { LiveService } from './live-service.ts';
import type { HttpOptions } from './options.ts';
import type { UnsentBytes } from './unsent-bytes.ts';

/** One request of a caller who is known. */
export interface Call {
  readonly ctx: Koa.Context;
  readonly auth: AuthContext;
  /** From the path, decoded; empty on routes without one. Anything may stand there. */
  readonly taskId: string;
  /** The same of a file's name. */
  readonly attachmentName: string;
  /** The same of a part's number. */
  readonly partNumber: string;
}

/** Answers one row of the protocol's table; what it throws becomes the envelope. */
export type Route = (call: Call) => Promise<void>;

/** What the routes work with. */
export interface RouteDeps {
  readonly service: TaskService;
  readonly live: LiveService;
  readonly attachments: AttachmentStore | undefined;
  readonly uploadPolicy: UploadPolicy | undefined;
  readonly options: HttpOptions;
  /** Where large answers are counted. */
  readonly unsent: UnsentBytes;
  readonly clock: Clock;
  readonly chance: ServerChance;
  readonly logger: Logger | undefined;
  readonly records: RecordWriter;
}

/** Answers with JSON that nobody may keep: a text is JSON already. */
export function answerJson(ctx: Koa.Context, status: number, body: object | string | Buffer | Readable): void {
  const { res } = ctx;
  ctx.status = status;
  if (!res.headersSent) {
    res.setHeader('Content-Type', 'application/json; charset=utf-8');
    res.setHeader('Cache-Control', 'no-store');
  }
  ctx.body = typeof body === 'string' || Buffer.isBuffer(body) || body instanceof Readable ? body : JSON.stringify(body);
}
