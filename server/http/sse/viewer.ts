import type { ServerResponse } from 'node:http';
import type { Gap } from '../../../machines/wire/index.ts';
import type { BatchSizes } from '../../live/batch-sizes.ts';
import type { StreamExtension } from '../../live/extensions.ts';
import type { Sharing, Viewer } from '../../live/viewer.ts';
import type { ServerChance } from '../../ports/chance.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Entry } from '../../ports/store.ts';
import { factEvents, gapEvent, heartbeatEvent, preamble } from './frames.ts';
import type { SseStreamSettings } from './settings.ts';

/** What an SSE viewer shows, and where. */
export interface SseView {
  readonly taskId: string;
  readonly owner: string;
  readonly res: ServerResponse;
  /** What the client asked for and gets; undefined where it asked for nothing. */
  readonly extensions: readonly StreamExtension[] | undefined;
  /** Where the stream shows several tasks. */
  readonly share?: StreamShare;
}

/** What SSE viewers work with: the same for all of a process. */
export interface SseViewerDeps {
  readonly settings: SseStreamSettings;
  readonly clock: Clock;
  readonly chance: ServerChance;
}

/** Told by the viewers of a stream that shows several tasks. */
export interface StreamShare {
  /** What they have in common. */
  readonly sharing: Sharing;
  /** The log has ended, and the network has all of it. */
  ended(taskId: string): void;
  /** The log cannot be shown on. */
  lost(taskId: string): void;
}

const NOTHING = Buffer.alloc(0);

/** A response that is an SSE stream, or a task's part of it. Its head must be out. */
export class SseViewer implements Viewer {
  readonly transport = 'sse';
  readonly owner: string;
  readonly #taskId: string;
  readonly #res: ServerResponse;
  readonly #extensions: readonly StreamExtension[] | undefined;
  readonly #share: StreamShare | undefined;
  readonly #deps: SseViewerDeps;

  constructor({ taskId, owner, res, extensions, share }: SseView, deps: SseViewerDeps) {
    this.owner = owner;
    this.#taskId = taskId;
    this.#res = res;
    this.#extensions = extensions;
    this.#share = share;
    this.#deps = deps;
  }

  get batches(): BatchSizes {
    return this.#deps.settings;
  }

  get sharing(): Sharing | undefined {
    return this.#share?.sharing;
  }

  /**
   * The first sign of life, which shows a mute proxy: something always comes at once, whatever is switched off. What was granted is told in a
   * data frame, since a client that asked learns it nowhere else.
   */
  open(): void {
    const { settings } = this.#deps;
    const extensions = this.#extensions;
    // Of a shared stream the first words were said already, for all of them.
    if (this.sharing) return this.#write(this.#signOfLife(false, true, extensions));
    const hasFrame = settings.heartbeatFrame || extensions !== undefined;
    const first = this.#signOfLife(settings.heartbeatComment || !hasFrame, hasFrame, extensions);
    this.#write(Buffer.concat([preamble(settings.preambleBytes), first]));
  }

  facts(entries: readonly Entry[]): void {
    this.#write(factEvents(entries, !this.sharing));
  }

  parts(frames: readonly Entry[]): void {
    this.#write(factEvents(frames, false));
  }

  gap(gap: Gap): void {
    if (this.#extensions?.includes('gap')) this.#write(gapEvent({ type: 'GAP', ...this.#envelope('gap'), payload: gap }));
  }

  heartbeat(): boolean {
    const { heartbeatComment, heartbeatFrame } = this.#deps.settings;
    if (!heartbeatComment && !heartbeatFrame) return false;
    // A comment is for nobody by name: it says of a shared stream what no frame says.
    this.#write(this.#signOfLife(heartbeatComment && !(this.sharing && heartbeatFrame), heartbeatFrame));
    return true;
  }

  pendingBytes(): number {
    return this.#res.writableLength;
  }

  takenBytes(): number {
    const { socket } = this.#res;
    return socket ? socket.bytesWritten - socket.writableLength : 0;
  }

  onDrain(callback: () => void): void {
    const res = this.#res;
    // Not by a timer, which takes a millisecond at least: a long part is read in many turns.
    if (res.writableLength === 0) setImmediate(callback);
    else
      res.write(NOTHING, (error) => {
        if (!error) callback();
      });
  }

  end(): void {
    if (this.#share) this.#share.ended(this.#taskId);
    else this.#res.end();
  }

  cut(): void {
    this.#res.destroy();
  }

  cutTask(): void {
    if (this.#share) this.#share.lost(this.#taskId);
    else this.cut();
  }

  #signOfLife(hasComment: boolean, hasFrame: boolean, extensions?: readonly StreamExtension[]): Buffer {
    const payload = { live: true, ...(extensions && { extensions }) } as const;
    return heartbeatEvent({
      ...(hasComment && { comment: this.#deps.settings.commentText }),
      ...(hasFrame && { frame: { type: 'HEARTBEAT', ...this.#envelope('hb'), payload } }),
    });
  }

  #write(bytes: Buffer): void {
    const res = this.#res;
    if (!res.destroyed && !res.writableEnded) res.write(bytes);
  }

  /** The fields that every event has; an id of this kind is no cursor. */
  #envelope(kind: 'hb' | 'gap'): { taskId: string; eventId: string; createdAt: string } {
    const { clock, chance } = this.#deps;
    return { taskId: this.#taskId, eventId: `${kind}-${chance.hex(12)}`, createdAt: new Date(clock.now()).toISOString() };
  }
}
