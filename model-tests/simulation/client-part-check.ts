import { partsOf, taskParts, type PartPort, type PartView } from '../../client/parts/index.ts';
import type { Observation } from '../../client/index.ts';
import type { Fact, UnknownFact } from '../../machines/wire/index.ts';
import { withRecords, type PartRecord } from './part-records.ts';
import type { ClientPartsPlan } from './plan.ts';
import type { PlantedBug } from './planted-bug.ts';
import type { Oracle } from './oracle.ts';
import type { World } from './world.ts';

/** What a client's parts are looked at with. */
export interface ClientPartCheckDeps {
  /** Of the client. */
  readonly name: string;
  readonly world: World;
  readonly oracle: Oracle;
  readonly planted: PlantedBug;
}

/** The option of a client that takes parts: the real ones, looked at whenever they were told something. Nothing for one that takes none. */
export function clientParts(plan: ClientPartsPlan | undefined, deps: ClientPartCheckDeps): { readonly parts?: PartPort } {
  if (!plan) return {};
  const { storedBytesMax, storeMs } = plan;
  const port = taskParts({ limits: { storedBytesMax, storeMs } });
  return { parts: checkedParts(deps.planted.parts?.(port) ?? port, deps) };
}

function checkedParts(port: PartPort, deps: ClientPartCheckDeps): PartPort {
  return withRecords(port, (record, observation) => new ClientPartCheck(deps, observation).over(record));
}

/**
 * Holds what one client shows of the parts of one task to the law, whichever connection it came by: each text is a prefix of what the store has, it only grows,
 * and it is whole at the fact that closes its part. It begins anew only where the store has lost something.
 */
class ClientPartCheck {
  readonly #deps: ClientPartCheckDeps;
  readonly #observation: Observation;
  readonly #seen = new Map<number, PartView>();
  /** Parts that were closed when they were first heard of: what is kept of them may be a beginning. */
  readonly #closedBefore = new Set<number>();

  constructor(deps: ClientPartCheckDeps, observation: Observation) {
    this.#deps = deps;
    this.#observation = observation;
  }

  /** Looks after each word, and before a server is asked to go on from what was restored. */
  over(record: PartRecord): PartRecord {
    const looked = <T>(result: T): T => {
      this.#look();
      return result;
    };
    return {
      get cursors() {
        return looked(record.cursors);
      },
      doubts: (ending) => record.doubts(ending),
      frame: (frame, connection) => looked(record.frame(frame, connection)),
      fact: (fact) => {
        looked(record.fact(fact));
        this.#judgeClosed(fact);
      },
      snapshot: (task) => looked(record.snapshot(task)),
      reset: () => {
        // Nothing that was shown counts.
        this.#seen.clear();
        this.#closedBefore.clear();
        looked(record.reset());
      },
      ended: () => looked(record.ended()),
    };
  }

  /** Judges what has changed. */
  #look(): void {
    for (const view of partsOf(this.#observation)) {
      const before = this.#seen.get(view.part);
      if (before === view) continue;
      this.#seen.set(view.part, view);
      this.#judge(view, before);
    }
  }

  #judge(view: PartView, before: PartView | undefined): void {
    const { part, text, outcome, truncated, restarts } = view;
    const { oracle } = this.#deps;
    const { taskId } = this.#observation;
    if (!before && outcome !== undefined) this.#closedBefore.add(part);
    if (view.kind === 'latest') return this.#judgeValue(view, before);
    const isLost = oracle.of(taskId).lost.length > 0 || oracle.lanes.mayBeginAnew(taskId, part);
    const goesOn = before !== undefined && before.restarts === restarts;
    if (goesOn && !isLost && !text.startsWith(before.text))
      this.#fault('the text of a part only grows', `part ${part} showed …${tail(before.text)}, and shows …${tail(text)}`);
    if (restarts > (before?.restarts ?? 0) && !isLost) this.#fault('the text of a part only grows', `part ${part} begins anew`);
    if (before?.text !== text && !oracle.lanes.isPrefixOfPart(taskId, part, text, goesOn ? before.text : ''))
      this.#fault('what is shown of a part is a prefix of it', `part ${part} is shown as …${tail(text)}`);
    if (outcome !== undefined && !truncated && !oracle.lanes.isWhole(taskId, part, text))
      this.#fault('a part is whole where it is closed', `part ${part} is shown as closed, and as …${tail(text)}`);
  }

  #judgeValue({ part, text, bytes, outcome, truncated, restarts }: PartView, before: PartView | undefined): void {
    const { lanes } = this.#deps.oracle;
    const { taskId } = this.#observation;
    const isLost = this.#deps.oracle.of(taskId).lost.length > 0 || lanes.values.wasShortened(taskId, part);
    const goesOn = before !== undefined && before.restarts === restarts;
    if (goesOn && !isLost && bytes < before.bytes)
      this.#fault('the version of a value rises', `part ${part} showed ${before.bytes}, and shows ${bytes}`);
    if (text !== '' && before?.text !== text && !lanes.values.isOf(taskId, part, text))
      this.#fault('what is shown of a value was written', `part ${part} is shown as …${tail(text)}`);
    if (goesOn && !isLost && before.text !== '' && before.text !== text && !lanes.values.isNewer(taskId, part, text, before.text))
      this.#fault('a value only becomes newer', `part ${part} showed …${tail(before.text)}, and shows …${tail(text)}`);
    if (outcome !== undefined && !truncated && !lanes.isWhole(taskId, part, text))
      this.#fault('a part is whole where it is closed', `part ${part} is shown as closed, and as …${tail(text)}`);
  }

  /** Whoever was told that a part was opened has all of it where it is closed. */
  #judgeClosed({ type, payload }: Fact | UnknownFact): void {
    if (type !== 'TASK_PART_CLOSED') return;
    const { part } = payload as { readonly part: number };
    const view = this.#seen.get(part);
    if (view?.name !== undefined && view.truncated && !this.#closedBefore.has(part))
      this.#fault('a part is whole where it is closed', `part ${part} has ${view.bytes} bytes, and …${tail(view.text)} is shown`);
  }

  #fault(rule: string, message: string): void {
    const { world, name } = this.#deps;
    world.fault(rule, `${name}: ${message} of ${this.#observation.taskId}`);
  }
}

const tail = (text: string): string => JSON.stringify(text.slice(-40));
