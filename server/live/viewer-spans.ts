import { parseEventId } from '../../machines/wire/index.ts';
import { taskAttributes, taskSpan } from '../observability/task-spans.ts';
import type { ViewerTransport } from '../ports/observability.ts';
import type { Tracer } from '../ports/tracing.ts';
import type { TaskAbout } from '../task/about.ts';

/** What viewers are followed with. */
export interface ViewerSpansDeps {
  readonly tracer: Tracer;
  /** What never changes of a task. */
  readonly aboutOf: (taskId: string) => Promise<TaskAbout>;
  /** The store's time, in milliseconds since the epoch. */
  readonly now: () => number;
}

/** Tasks of which it is known where their creates stand in a trace. */
const ABOUTS_MAX = 1000;

/** Follows viewers: each in a trace of its own, since it outlives every request; and the end of a task that it is handed, in the task's. */
export class ViewerSpans {
  readonly #deps: ViewerSpansDeps;
  /** Of tasks that were watched last: a crowd that comes back asks once. */
  readonly #abouts = new Map<string, Promise<TaskAbout | undefined>>();

  constructor(deps: ViewerSpansDeps) {
    this.#deps = deps;
  }

  /** A viewer is there; gives what is called when it is gone. Nothing waits for it. */
  subscribed(taskId: string, transport: ViewerTransport): () => void {
    const from = this.#deps.now();
    let until: number | undefined;
    let onGone: (() => void) | undefined;
    const gone = new Promise<void>((resolve) => (onGone = resolve));
    void this.#about(taskId).then(async (about) => {
      if (!about?.trace) return;
      const attributes = { ...taskAttributes(about), 'taskbridge.transport': transport };
      const span = this.#deps.tracer.startSpan('taskbridge.subscription', { link: about.trace, at: from, attributes });
      await gone;
      span.end({ at: until });
    });
    return () => {
      until = this.#deps.now();
      onGone?.();
    };
  }

  /** A viewer or poll that had all before it was handed the task's last fact. */
  ended(taskId: string, transport: ViewerTransport, lastEventId: string): void {
    const at = this.#deps.now();
    void this.#about(taskId).then((about) => {
      const committedAt = parseEventId(lastEventId)?.ms;
      if (about) taskSpan(this.#deps.tracer, 'taskbridge.delivery', about, { 'taskbridge.transport': transport }, committedAt).end({ at });
    });
  }

  /** Of a task that is gone, or a store that does not answer, nobody tells. */
  #about(taskId: string): Promise<TaskAbout | undefined> {
    const known = this.#abouts.get(taskId);
    if (known) return known;
    const asked = this.#deps.aboutOf(taskId).catch(() => void this.#abouts.delete(taskId));
    this.#abouts.set(taskId, asked);
    const [oldest] = this.#abouts.keys();
    if (this.#abouts.size > ABOUTS_MAX && oldest !== undefined) this.#abouts.delete(oldest);
    return asked;
  }
}
