import { MinHeap, type HeapItem, type TakeRequest } from '../../server/ports/index.ts';
import type { TaskEntry } from './memory.ts';

/** An owner who waits for work of one type; sorted by his turn. */
interface Waiter extends HeapItem {
  readonly owner: string;
  /** By when their work was wanted. */
  readonly tasks: MinHeap<TaskEntry>;
}

/** Those who wait for work of one type. */
interface Line {
  readonly inTurn: MinHeap<Waiter>;
  readonly byOwner: Map<string, Waiter>;
}

/** Tasks whose work is wanted now. Each owner has one place in a line, however many tasks he has, and goes to its end when he had his turn. */
export class Turns {
  readonly #lines = new Map<string, Line>();
  #last = 0;

  add(entry: TaskEntry): void {
    const { owner, taskType } = entry.task;
    const line = this.#lines.get(taskType) ?? { inTurn: new MinHeap(), byOwner: new Map<string, Waiter>() };
    this.#lines.set(taskType, line);
    let waiter = line.byOwner.get(owner);
    if (!waiter) {
      waiter = { owner, tasks: new MinHeap(), at: (this.#last += 1), place: -1 };
      line.byOwner.set(owner, waiter);
      line.inTurn.push(waiter);
    }
    waiter.tasks.push(entry);
    if (entry.at === 0) this.#move(line, waiter, 0);
  }

  remove(entry: TaskEntry): void {
    const { owner, taskType } = entry.task;
    const line = this.#lines.get(taskType);
    const waiter = line?.byOwner.get(owner);
    if (!line || !waiter) return;
    waiter.tasks.remove(entry);
    if (waiter.tasks.size > 0) return;
    line.inTurn.remove(waiter);
    line.byOwner.delete(owner);
    if (line.byOwner.size === 0) this.#lines.delete(taskType);
  }

  /** Lets some owners have no turn until they are put back; they keep their place. */
  setAside(owners: readonly string[]): () => void {
    const aside = [...this.#lines.values()].flatMap(({ inTurn, byOwner }) =>
      owners.flatMap((owner) => {
        const waiter = byOwner.get(owner);
        return waiter ? [{ inTurn, waiter }] : [];
      }),
    );
    for (const { inTurn, waiter } of aside) inTurn.remove(waiter);
    return () => {
      for (const { inTurn, waiter } of aside) inTurn.push(waiter);
    };
  }

  /** Takes out the task whose turn it is among those of some types, or of any. */
  next(types: TakeRequest['types']): TaskEntry | undefined {
    const lines = types === 'any' ? [...this.#lines.values()] : types.flatMap((type) => this.#lines.get(type) ?? []);
    const first = least(lines.flatMap(({ inTurn }) => inTurn.first ?? []));
    if (!first) return undefined;
    const places = lines.flatMap((line) => {
      const waiter = line.byOwner.get(first.owner);
      return waiter ? [{ line, waiter }] : [];
    });
    const entry = least(places.flatMap(({ waiter }) => waiter.tasks.first ?? []));
    if (!entry) return undefined;
    const turn = (this.#last += 1);
    this.remove(entry);
    for (const { line, waiter } of places) if (waiter.tasks.size > 0) this.#move(line, waiter, waiter.tasks.first?.at === 0 ? 0 : turn);
    return entry;
  }

  #move({ inTurn }: Line, waiter: Waiter, turn: number): void {
    inTurn.remove(waiter);
    waiter.at = turn;
    inTurn.push(waiter);
  }
}

function least<Item extends HeapItem>(items: readonly Item[]): Item | undefined {
  return items.reduce<Item | undefined>((best, item) => (best && best.at <= item.at ? best : item), undefined);
}
