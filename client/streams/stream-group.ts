import { STREAM_TASKS_MAX, taskPartsText, taskSetText } from '../../machines/routes/index.ts';
import { TaskBridgeClientError } from '../errors.ts';
import type { DecodedEnding } from '../observation/frame-decoder.ts';
import { impossible, readEvents, type EventStreamRequest } from '../transports/event-stream.ts';
import { CUT, FULL, readSharedFrame } from '../transports/shared-frame.ts';
import { sharedStreamPhases, type SharedStreamEffect, type SharedStreamEventType, type SharedStreamPhase } from './shared-stream.phases.ts';

/** One task that is to be shown. */
interface Member {
  readonly request: EventStreamRequest;
  isConfirmed: boolean;
  isAlone: boolean;
}

/** One request for a set of tasks, and those of it that the server has not ended. */
interface Stream {
  readonly members: Map<string, Member>;
  readonly life: AbortController;
  /** It was not asked for to show more. */
  readonly isLess: boolean;
  /** Were told of something since the last flush. */
  readonly touched: Set<Member>;
}

/** Why a stream is over. */
interface Loss {
  readonly reason: string;
  readonly ending: DecodedEnding | undefined;
}

const lost: Loss = { reason: 'the shared stream was cut', ending: undefined };

/** Tasks that are asked for at one address with the same credentials, and share a stream: their table decides, here is what its effects do. */
export class StreamGroup {
  readonly #url: (query: string) => string;
  readonly #onOver: () => void;
  /** Those that are here, by their tasks. */
  readonly #members = new Map<string, Member>();
  #phase: SharedStreamPhase = sharedStreamPhases.initial.to;
  #live: Stream | undefined;
  #next: Stream | undefined;
  #place: Promise<(() => void) | undefined> | undefined;
  #isReviewing = false;
  /** The live stream shows a task that is not here any more. */
  #hasStray = false;

  /** `url` puts a query to the route of shared streams. */
  constructor(url: (query: string) => string, onOver: () => void) {
    this.#url = url;
    this.#onOver = onOver;
  }

  /** Whether there is room for this task. */
  takes(taskId: string): boolean {
    return this.#phase !== 'over' && this.#members.size < STREAM_TASKS_MAX && !this.#members.has(taskId);
  }

  /** Resolves when the task needs nothing any more. */
  join(request: EventStreamRequest): Promise<void> {
    const member: Member = { request, isConfirmed: false, isAlone: false };
    this.#members.set(request.taskId, member);
    this.#reviewSoon();
    return new Promise((resolve) => {
      const leave = (): void => {
        this.#remove(member);
        this.#reviewSoon();
        resolve();
      };
      request.signal.addEventListener('abort', leave, { once: true });
    });
  }

  /** Later, so that what comes and goes at once is one change. */
  #reviewSoon(): void {
    if (this.#isReviewing) return;
    this.#isReviewing = true;
    queueMicrotask(() => {
      this.#isReviewing = false;
      this.#review();
    });
  }

  #review(): void {
    const live = this.#live;
    const all = [...this.#members.values()];
    const isMissingIn = (stream: Stream | undefined) => (member: Member) => stream?.members.get(member.request.taskId) !== member;
    if (all.length === 0) return this.#on('set.empty');
    if (this.#next) {
      const isAwaited = [...this.#next.members.values()].some((member) => this.#isHere(member) && isMissingIn(live)(member));
      // One set after the other: what has changed since it was asked for is looked at when it is there.
      if (!isAwaited && !this.#next.isLess) this.#on('next.unwanted');
    } else if (this.#hasStray || all.some(isMissingIn(live))) this.#on('set.changed');
  }

  #isHere(member: Member): boolean {
    return this.#members.get(member.request.taskId) === member;
  }

  #remove(member: Member): void {
    if (this.#isHere(member)) this.#members.delete(member.request.taskId);
  }

  #on(event: SharedStreamEventType, loss: Loss = lost): void {
    const cell = sharedStreamPhases.phases[this.#phase].on[event];
    if (typeof cell === 'string') return;
    this.#phase = cell.to ?? this.#phase;
    for (const effect of cell.effects) this.#perform(effect, loss);
  }

  #perform(effect: SharedStreamEffect, loss: Loss): void {
    switch (effect) {
      case 'open':
        return this.#open();
      case 'promote':
        this.#live = this.#next;
        this.#next = undefined;
        return;
      case 'dropNext':
        this.#next?.life.abort();
        this.#next = undefined;
        return;
      case 'closeLive':
        this.#live?.life.abort();
        this.#live = undefined;
        return;
      case 'tellNext': {
        const next = this.#next;
        this.#next = undefined;
        return this.#tell(next, this.#live, loss);
      }
      case 'tellLive': {
        const live = this.#live;
        this.#live = undefined;
        return this.#tell(live, this.#next, loss);
      }
      case 'goAlone':
        return this.#goAlone();
      case 'freePlace':
        void this.#place?.then((free) => free?.());
        this.#place = undefined;
        return;
      case 'review':
        return this.#reviewSoon();
      case 'forget':
        return this.#onOver();
    }
  }

  /** Those that no other stream shows, or is to show, hear of the end of theirs. */
  #tell(stream: Stream | undefined, other: Stream | undefined, { reason, ending }: Loss): void {
    for (const member of stream?.members.values() ?? []) {
      if (!this.#isHere(member) || other?.members.get(member.request.taskId) === member) continue;
      this.#remove(member);
      member.request.connection.lost(reason, ending);
    }
  }

  #goAlone(): void {
    for (const member of this.#members.values()) {
      if (member.isAlone) continue;
      member.isAlone = true;
      void member.request.alone();
    }
  }

  #open(): void {
    const members = new Map(this.#members);
    const isLess = [...members].every(([taskId, member]) => this.#live?.members.get(taskId) === member);
    const stream: Stream = { members, life: new AbortController(), isLess, touched: new Set() };
    this.#next = stream;
    this.#hasStray = false;
    void this.#read(stream);
  }

  async #read(stream: Stream): Promise<void> {
    const all = [...stream.members.values()].map(({ request }) => request);
    const { signal } = stream.life;
    // All have the same, or would not be here.
    const [first] = all;
    if (!first) return;
    const { settings, authorization } = first;
    const set = all.map(({ taskId, connection }) => ({ taskId, cursor: connection.cursor }));
    const extensions = all.find(({ extensions: asked }) => asked.includes('fallback'))?.extensions ?? first.extensions;
    this.#place ??= settings.held.take();
    const isHeld = (await this.#place) !== undefined;
    if (signal.aborted) return;
    if (!isHeld && settings.tries.poll > 0) {
      const [reason, ending] = impossible('NO_ROOM', 'As many requests are held open as may be.');
      return this.#on('next.lost', { reason, ending });
    }
    const parts = taskPartsText(all.map(({ taskId, connection }) => ({ taskId, parts: connection.parts ?? '' })));
    const query = Object.entries({ extensions, tasks: taskSetText(set), ...(parts && { parts }) });
    const url = this.#url(query.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&'));
    await readEvents(
      { url, settings, headers: authorization.headers, signal },
      {
        get isClosed() {
          return signal.aborted;
        },
        opened: () => undefined,
        event: (data) => this.#take(stream, data),
        comment: () => stream.members.forEach((member) => this.#touch(stream, member)),
        flush: () => this.#flush(stream),
        lost: (reason, ending) => this.#over(stream, { reason, ending }),
      },
    );
  }

  #over(stream: Stream, { reason, ending }: Loss): void {
    stream.life.abort();
    // The proper end of a task's part is said: the end of the body is none.
    const loss = { reason, ending: ending?.kind === 'ended' ? undefined : ending };
    if (stream === this.#live) this.#on('live.lost', loss);
    else if (stream === this.#next) this.#on(isMissing(ending) ? 'next.missing' : 'next.lost', loss);
  }

  #take(stream: Stream, text: string): void {
    if (stream.life.signal.aborted) return;
    const { type, taskId, code } = readSharedFrame(text);
    if (stream === this.#next) {
      if (type === 'EXTENSIONS_GRANTED') return this.#on('next.granted');
      // Another server's stream, of whatever.
      const [reason, ending] = impossible('NO_SHARED_STREAM', 'There is no shared stream.');
      return this.#over(stream, { reason, ending });
    }
    const member = stream.members.get(taskId);
    if (member && type === 'SUBSCRIPTION_ENDED') return this.#end(stream, member, code);
    if (member && !this.#isHere(member)) return this.#noteStray();
    if (member) return this.#deliver(stream, member, text);
    // For nobody, so a fault of the stream: everybody is to judge it.
    for (const each of [...stream.members.values()]) if (this.#isHere(each)) this.#deliver(stream, each, text);
  }

  #deliver(stream: Stream, member: Member, text: string): void {
    const { connection } = member.request;
    if (!member.isConfirmed) {
      member.isConfirmed = true;
      connection.confirmed();
    }
    stream.touched.add(member);
    connection.frame(text);
  }

  #touch(stream: Stream, member: Member): void {
    if (!this.#isHere(member)) return;
    stream.touched.add(member);
    member.request.connection.alive();
  }

  #flush(stream: Stream): void {
    for (const member of stream.touched) member.request.connection.flush();
    stream.touched.clear();
  }

  #noteStray(): void {
    if (this.#hasStray || this.#next) return;
    this.#hasStray = true;
    this.#reviewSoon();
  }

  #end(stream: Stream, member: Member, code: unknown): void {
    const { taskId, connection, settings } = member.request;
    stream.members.delete(taskId);
    if (!this.#isHere(member)) return;
    this.#remove(member);
    const reason = `ended with ${String(code)}`;
    if (typeof code !== 'number' || code === CUT || code === FULL) return connection.lost(reason);
    const verdict = settings.classify?.(new TaskBridgeClientError('CONNECTION_REFUSED', `The server ${reason}.`, { closeCode: code }));
    connection.lost(reason, { kind: 'closed', closeCode: code, ...(verdict && { verdict }) });
  }
}

/** True for answers of those who do not know the route, or cannot carry a set of tasks in a query. */
function isMissing(ending: DecodedEnding | undefined): boolean {
  return ending?.kind === 'refused' && [400, 404, 405, 414, 426, 431, 501].includes(ending.status);
}
