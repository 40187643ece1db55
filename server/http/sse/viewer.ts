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

/** What an SSE viewer needs. */
export interface SseViewerDeps {
  readonly taskId: string;
  readonly owner: string;
  readonly res: ServerResponse;
  /** What the client asked for and gets; undefined where it asked for nothing. */
  readonly extensions: readonly StreamExtension[] | undefined;
  readonly settings: SseStreamSettings;
  readonly clock: Clock;
  readonly chance: ServerChance;
  /** Where the stream shows several tasks. */
  readonly share?: StreamShare;
}

/** One task's part of a stream that shows several. */
export interface StreamShare {
  readonly sharing: Sharing;
  /** The log has ended, and the network has all of it. */
  readonly onEnd: () => void;
  /** The log cannot be shown on. */
  readonly onCutTask: () => void;
}

const NOTHING = Buffer.alloc(0);

/** A response that is an SSE stream, or a task's part of it. Its head must be out. */
export class SseViewer implements Viewer {
  readonly transport = 'sse';
  readonly owner: string;
  readonly batches: BatchSizes;
  readonly sharing: Sharing | undefined;
  readonly #deps: SseViewerDeps;

  constructor(deps: SseViewerDeps) {
    this.#deps = deps;
    this.owner = deps.owner;
    this.batches = deps.settings;
    this.sharing = deps.share?.sharing;
  }

  /**
   * The first sign of life, which shows a mute proxy: something always comes at once, whatever is switched off. What was granted is told in a
   * data frame, since a client that asked learns it nowhere else.
   */
  open(): void {
    const { extensions, settings } = this.#deps;
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
    if (this.#deps.extensions?.includes('gap')) this.#write(gapEvent({ type: 'GAP', ...this.#envelope('gap'), payload: gap }));
  }

  heartbeat(): boolean {
    const { heartbeatComment, heartbeatFrame } = this.#deps.settings;
    if (!heartbeatComment && !heartbeatFrame) return false;
    // A comment is for nobody by name: it says of a shared stream what no frame says.
    this.#write(this.#signOfLife(heartbeatComment && !(this.sharing && heartbeatFrame), heartbeatFrame));
    return true;
  }

  pendingBytes(): number {
    return this.#deps.res.writableLength;
  }

  takenBytes(): number {
    const { socket } = this.#deps.res;
    return socket ? socket.bytesWritten - socket.writableLength : 0;
  }

  onDrain(callback: () => void): void {
    const { res } = this.#deps;
    // Not by a timer, which takes a millisecond at least: a long part is read in many turns.
    if (res.writableLength === 0) setImmediate(callback);
    else
      res.write(NOTHING, (error) => {
        if (!error) callback();
      });
  }

  end(): void {
    const { res, share } = this.#deps;
    if (share) share.onEnd();
    else res.end();
  }

  cut(): void {
    this.#deps.res.destroy();
  }

  cutTask(): void {
    const { share } = this.#deps;
    if (share) share.onCutTask();
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
    const { res } = this.#deps;
    if (!res.destroyed && !res.writableEnded) res.write(bytes);
  }

  /** The fields that every event has; an id of this kind is no cursor. */
  #envelope(kind: 'hb' | 'gap'): { taskId: string; eventId: string; createdAt: string } {
    const { taskId, clock, chance } = this.#deps;
    return { taskId, eventId: `${kind}-${chance.hex(12)}`, createdAt: new Date(clock.now()).toISOString() };
  }
}
