import type { ActRequest } from '../../client/index.ts';
import type { OutboxCommand, OutboxEntry, OutboxResponse, StoredEntry } from '../../client/outbox/index.ts';
import type { CancelTaskResponse, SubmitActionResponse } from '../../machines/wire/index.ts';
import type { SimulatedAnswer } from './node-server.ts';
import type { SimulatedRequest } from './http-stand-ins.ts';
import { isTrueCancel, isTrueReceipt } from './receipts.ts';
import type { Oracle } from './oracle.ts';
import type { World } from './world.ts';

/** One command that was ever on a shelf. */
interface Known {
  readonly entry: OutboxEntry;
  /** Counts all that ever came to the shelf. */
  readonly order: number;
  readonly isThere: boolean;
}

/** What an outbox asks its client to send. */
export type SentCommand =
  | { readonly type: 'start'; readonly clientRequestId: string }
  | { readonly type: 'act'; readonly clientActionId: string }
  | { readonly type: 'cancel'; readonly taskId: string };

/** Looks at one shelf: nothing is lost from it, what is noted there is true, and what is sent was noted before and is next. */
export class OutboxCheck {
  /** Tells of each task that a kept start has led to. */
  onStarted: (clientRequestId: string, taskId: string) => void = () => undefined;
  readonly #world: World;
  readonly #oracle: Oracle;
  readonly #known = new Map<string, Known>();
  /** The codes that servers gave, by the command. */
  readonly #codes = new Map<string, Set<string>>();

  constructor(world: World, oracle: Oracle) {
    this.#world = world;
    this.#oracle = oracle;
  }

  /** What still has to go out. */
  get pending(): readonly string[] {
    return this.#there().flatMap(({ entry }) => (isPending(entry) ? [`${nameOf(entry)}, ${entry.state}`] : []));
  }

  /** An outbox said that it has kept that. */
  saidKept(id: string): void {
    if (!this.#known.has(id)) this.#world.fault('what is kept is on the shelf', `${id} is not`);
  }

  /** An outbox said what became of a command. */
  saidOutcome(id: string, state: string): void {
    const known = this.#known.get(id);
    if (state === 'forgotten' ? known?.isThere : known?.entry.state !== state)
      this.#world.fault('an outcome is what the shelf says', `${known ? nameOf(known.entry) : id} is ${known?.entry.state}, not ${state}`);
  }

  /** True where no start of that request is, or will be, of any use. */
  cameToNothing(clientRequestId: string): boolean {
    const starts = [...this.#known.values()].filter(({ entry }) => nameOf(entry) === `start ${clientRequestId}`);
    return starts.length > 0 && starts.every(({ entry }) => !isPending(entry) && entry.state !== 'done');
  }

  /** What is on the shelf now is what a process has just made of it. */
  changed(stored: ReadonlyMap<string, StoredEntry>, by: string): void {
    for (const known of this.#there()) if (!stored.has(known.entry.id)) this.#removed(known, by);
    for (const entry of stored.values()) {
      // Only outboxes of this version write here.
      const now = entry as OutboxEntry;
      const before = this.#known.get(now.id);
      if (before?.entry.state === now.state && before.entry.wasSent === now.wasSent) continue;
      this.#known.set(now.id, { entry: now, order: before?.order ?? this.#known.size, isThere: true });
      this.#world.tell(by, `notes that ${nameOf(now)} is ${now.state}`);
      if (!before) this.#added(now);
      else if (!isPending(before.entry)) this.#fault('what became of a command stays', now, `was ${before.entry.state}`);
      if (now.state === 'done') this.#done(now);
      if (now.state === 'refused') this.#refused(now);
    }
  }

  /** An outbox hands a command to its client. */
  sent(command: SentCommand, by: string): void {
    const all = [...this.#known.values()];
    const next = Math.min(...all.flatMap(({ entry, order }) => (isPending(entry) ? [order] : [])));
    const matching = all.filter(({ entry }) => this.#matches(entry, command));
    // Where two processes send, one may be late with what the other has settled.
    if (!matching.some(({ entry, order }) => entry.wasSent && order <= next))
      this.#world.fault('what is sent was noted before, and is next', `${by} sends ${JSON.stringify(command)}`);
  }

  /** A server has answered somebody. */
  answered({ method, target, body = '{}' }: SimulatedRequest, answer: SimulatedAnswer): void {
    if (method !== 'POST' || answer.status < 400) return;
    const { clientRequestId, clientActionId } = JSON.parse(body) as { readonly clientRequestId?: string; readonly clientActionId?: string };
    const what = clientRequestId ? `start ${clientRequestId}` : clientActionId ? `act ${clientActionId}` : `cancel ${target.split('/')[4]}`;
    const codes = this.#codes.get(what) ?? new Set();
    this.#codes.set(what, codes.add((JSON.parse(answer.body) as { readonly code: string }).code));
  }

  #there(): Known[] {
    return [...this.#known.values()].filter(({ isThere }) => isThere);
  }

  #added(entry: OutboxEntry): void {
    if (entry.state !== 'queued' || entry.wasSent) this.#fault('what is kept is on the shelf', entry, 'is new');
    if (this.#there().some((other) => other.entry.id !== entry.id && other.entry.place >= entry.place))
      this.#fault('commands keep their order', entry, `came to place ${entry.place}`);
  }

  #removed({ entry, order }: Known, by: string): void {
    this.#known.set(entry.id, { entry, order, isThere: false });
    this.#world.tell(by, `dismisses ${nameOf(entry)}`);
    if (isPending(entry)) this.#fault('a kept command is not lost', entry, `was taken off by ${by}`);
  }

  #done(entry: OutboxEntry): void {
    const { command, response } = entry;
    if (!response || !this.#isTrue(command, response))
      this.#fault('receipts tell the truth', entry, `is done with ${JSON.stringify(response)}`);
    else if (command.type === 'start') this.onStarted(command.request.clientRequestId, response.taskId);
  }

  #isTrue(command: OutboxCommand, response: OutboxResponse): boolean {
    const task = this.#oracle.tasks.get(response.taskId);
    if (!task) return false;
    if ('clientActionId' in response)
      return command.type === 'act' && isAnswerTo(command.request, response) && isTrueReceipt(task, response);
    if ('clientRequestId' in response) return command.type === 'start' && response.clientRequestId === command.request.clientRequestId;
    // The third shape that there is.
    return command.type === 'cancel' && isTrueCancel(task, response as CancelTaskResponse);
  }

  #refused(entry: OutboxEntry): void {
    const { command, refusal } = entry;
    const code = refusal?.code ?? 'none';
    const start = command.type !== 'start' && typeof command.target === 'object' ? command.target.clientRequestId : undefined;
    const isTrue =
      code === 'OUTBOX_START_FAILED'
        ? start !== undefined && this.#hadNoStart(entry, start)
        : this.#codesOf(entry).some((codes) => codes.has(code));
    if (!isTrue) this.#fault('a refusal is what the server said', entry, `is refused with ${code}`);
  }

  /** A command goes no further than the starts that were kept before it; one that came later is for what comes after that. */
  #hadNoStart({ id }: OutboxEntry, clientRequestId: string): boolean {
    const order = this.#known.get(id)?.order ?? 0;
    const before = [...this.#known.values()].filter((start) => nameOf(start.entry) === `start ${clientRequestId}` && start.order < order);
    return before.length > 0 && before.every(({ entry }) => !isPending(entry) && entry.state !== 'done');
  }

  #codesOf({ command }: OutboxEntry): Set<string>[] {
    const named = [...this.#codes].filter(([what]) => {
      if (command.type === 'start') return what === `start ${command.request.clientRequestId}`;
      if (command.type === 'act') return what === `act ${command.request.clientActionId}`;
      return what === `cancel ${this.#taskIdOf(command.target)}`;
    });
    return named.map(([, codes]) => codes);
  }

  #matches({ command }: OutboxEntry, sent: SentCommand): boolean {
    if (command.type === 'start') return sent.type === 'start' && command.request.clientRequestId === sent.clientRequestId;
    if (command.type === 'act') return sent.type === 'act' && command.request.clientActionId === sent.clientActionId;
    return sent.type === 'cancel' && this.#taskIdOf(command.target) === sent.taskId;
  }

  #taskIdOf(target: string | { readonly clientRequestId: string }): string | undefined {
    if (typeof target === 'string') return target;
    for (const { entry } of this.#known.values())
      if (entry.state === 'done' && nameOf(entry) === `start ${target.clientRequestId}`) return entry.response?.taskId;
    return undefined;
  }

  #fault(rule: string, entry: OutboxEntry, what: string): void {
    this.#world.fault(rule, `${nameOf(entry)} (${entry.state}) ${what}`);
  }
}

function isAnswerTo(asked: ActRequest, { suspendId, clientActionId }: SubmitActionResponse): boolean {
  return suspendId === asked.suspendId && clientActionId === asked.clientActionId;
}

function isPending({ state }: OutboxEntry): boolean {
  return state === 'queued' || state === 'sending';
}

function nameOf({ command }: OutboxEntry): string {
  if (command.type === 'start') return `start ${command.request.clientRequestId}`;
  if (command.type === 'act') return `act ${command.request.clientActionId}`;
  return `cancel ${typeof command.target === 'string' ? command.target.slice(0, 4) : command.target.clientRequestId}`;
}
