import type { SocketListener, SocketPort } from 'taskbridge/client/transports';

/** What the server does beside its duty, each at some moment of its own. */
export type Misbehaviour =
  /** Sends this text, or a binary frame. */
  | { readonly kind: 'frame'; readonly text: string | undefined }
  /** Ends the subscription of a task that has one. */
  | { readonly kind: 'end'; readonly task: number; readonly code: unknown }
  /** Sends an end that belongs to no subscription. */
  | { readonly kind: 'stray'; readonly task: number }
  /** Sends facts of a task again, or skips some. */
  | { readonly kind: 'jump'; readonly task: number; readonly by: number }
  /** Cuts the socket, or closes it. */
  | { readonly kind: 'cut' }
  | { readonly kind: 'close'; readonly code: number };

/** A server that speaks the protocol, but for its misbehaviour; all in memory. */
export interface MisbehavingServer extends SocketPort {
  readonly live: number;
  readonly opened: number;
}

export const taskName = (index: number): string => `task-${index}`;
const idOf = (n: number): string => `${n}-1000`;

/** Serves logs of `length` facts each. `pick` decides whose turn it is; misbehaviour is done in the order given, one each few frames. */
export function misbehavingServer(
  tasks: number,
  length: number,
  misbehaviour: readonly Misbehaviour[],
  pick: (below: number) => number,
): MisbehavingServer {
  const left = [...misbehaviour];
  const live = new Set<Line>();
  let opened = 0;

  class Line {
    readonly listener: SocketListener;
    /** The next fact of each subscribed task. */
    readonly next = new Map<string, number>();
    readonly outbox: string[] = [];
    isOver = false;

    constructor(listener: SocketListener) {
      this.listener = listener;
    }

    take(text: string): void {
      const { action, taskId, lastEventId } = JSON.parse(text) as { action: string; taskId: string; lastEventId?: string };
      if (this.next.delete(taskId)) this.say('SUBSCRIPTION_ENDED', taskId, { code: 1000 });
      if (action !== 'subscribe') return;
      this.next.set(taskId, Number(lastEventId?.split('-')[0] ?? 0) + 1);
      this.say('SUBSCRIPTION_CONFIRMED', taskId, { live: true, extensions: ['gap', 'multiplex'] });
    }

    say(type: string, taskId: string, more: object): void {
      this.outbox.push(JSON.stringify({ type, taskId, ...more }));
    }

    /** One more frame goes out: an answer, misbehaviour, or a fact. */
    step(): void {
      const text = this.outbox.shift();
      if (text !== undefined) this.listener.frame(text);
      else if (left.length > 0 && pick(4) === 0) this.#misbehave(left.shift());
      else this.#fact();
    }

    end(tell: (listener: SocketListener) => void): void {
      this.isOver = true;
      live.delete(this);
      tell(this.listener);
    }

    #fact(): void {
      const names = [...this.next.keys()];
      const taskId = names[pick(names.length)];
      if (taskId === undefined) return;
      const n = this.next.get(taskId) ?? 1;
      if (n <= length) {
        this.next.set(taskId, n + 1);
        const isLast = n === length;
        const payload = isLast ? { result: null } : { message: 'm' };
        const type = isLast ? 'TASK_COMPLETED' : 'TASK_MESSAGE';
        this.listener.frame(JSON.stringify({ type, taskId, eventId: idOf(n), createdAt: '2027-01-15T08:00:00Z', payload }));
      } else {
        this.next.delete(taskId);
        this.say('SUBSCRIPTION_ENDED', taskId, { code: 1000 });
      }
    }

    #misbehave(one: Misbehaviour | undefined): void {
      if (one?.kind === 'frame') this.listener.frame(one.text);
      else if (one?.kind === 'cut') this.end((listener) => listener.cut());
      else if (one?.kind === 'close') this.end((listener) => listener.closed(one.code));
      else if (one) {
        const taskId = taskName(one.task % tasks);
        const n = this.next.get(taskId);
        if (one.kind === 'stray') this.say('SUBSCRIPTION_ENDED', taskId, { code: 1000 });
        // A log may have lost its beginning: only inside of it is a hole to be seen.
        else if (n === undefined || n === 1) return;
        else if (one.kind === 'jump') this.next.set(taskId, Math.min(length, Math.max(1, n + one.by)));
        else {
          this.next.delete(taskId);
          this.say('SUBSCRIPTION_ENDED', taskId, { code: one.code });
        }
      }
    }
  }

  async function serve(line: Line): Promise<void> {
    await turn();
    if (line.isOver) return;
    line.listener.opened();
    line.listener.frame('{"type":"EXTENSIONS_GRANTED","extensions":["gap","multiplex"]}');
    while (!line.isOver) {
      for (let i = pick(8); i >= 0 && !line.isOver; i -= 1) line.step();
      await turn();
    }
  }

  return {
    sendsHeaders: true,
    get live() {
      return live.size;
    },
    get opened() {
      return opened;
    },
    open(_request, listener) {
      const line = new Line(listener);
      live.add(line);
      opened += 1;
      void serve(line);
      return {
        send: (text) => line.take(text),
        close() {
          line.isOver = true;
          live.delete(line);
        },
      };
    },
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
