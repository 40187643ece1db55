import { describe, expect, it } from 'vitest';
import { glanceAt } from '../../adapters/lmdb/glance.ts';
import type { Rows } from '../../adapters/lmdb/head.ts';
import type { RowKey } from '../../adapters/lmdb/keys.ts';
import { keysInSlices } from '../../adapters/lmdb/page-reads.ts';
import { countStates } from '../../adapters/lmdb/states.ts';

/** Rows that note how much is read of them in each turn of the event loop. */
class CountedRows {
  readonly turns: number[] = [];
  readonly #read: (weight: number) => void;
  readonly #keys: readonly RowKey[];
  readonly #values: (key: RowKey) => Buffer | undefined;

  constructor(keys: readonly RowKey[], values: (key: RowKey) => Buffer | undefined = () => undefined) {
    this.#keys = keys;
    this.#values = values;
    let isOver = true;
    this.#read = (weight) => {
      if (isOver) {
        this.turns.push(0);
        setImmediate(() => (isOver = true));
      }
      isOver = false;
      this.turns.push((this.turns.pop() ?? 0) + weight);
    };
  }

  getKeys({ start, exclusiveStart = false, offset = 0, limit = Infinity }: Parameters<Rows['getKeys']>[0] & object): RowKey[] {
    const from = this.#keys.findIndex((key) => (exclusiveStart ? place(key) > place(start) : place(key) >= place(start)));
    const passed = from < 0 ? [] : this.#keys.slice(from, from + offset + limit);
    this.#read(passed.length);
    return passed.slice(offset);
  }

  getKeysCount({ start }: { readonly start: RowKey }): number {
    return this.getKeys({ start }).length;
  }

  get(key: RowKey): Buffer | undefined {
    const value = this.#values(key);
    this.#read(value?.length ?? 0);
    return value;
  }

  get rows(): Rows {
    return this as unknown as Rows;
  }
}

/** The number in a key of a list; that of a list itself is before all. */
function place(key: unknown): number {
  const at = (key as RowKey)[3];
  return typeof at === 'number' ? at : (key as RowKey).includes('~') ? Infinity : -1;
}

const listed = (count: number): RowKey[] => Array.from({ length: count }, (_, i) => ['p', 'RUNNING', 'sample', i, `task-${i}`]);

describe('an LMDB store lets others have their turn', () => {
  it('while it reads a page, however long', async () => {
    const keys = listed(2600);
    const read = async (limit: number) => {
      const counted = new CountedRows(keys);
      const found = await keysInSlices(counted.rows, { start: ['p', 'RUNNING', 'sample'], end: ['p', 'RUNNING', 'sample', '~'] }, limit);
      return { found, turns: counted.turns };
    };
    expect(await read(2600)).toEqual({ found: keys, turns: [500, 500, 500, 500, 500, 100] });
    expect(await read(1e9)).toEqual({ found: keys, turns: [500, 500, 500, 500, 500, 100] });
    expect(await read(700)).toEqual({ found: keys.slice(0, 700), turns: [500, 200] });
    expect(await read(0)).toEqual({ found: [], turns: [] });
  });

  it('while it counts', async () => {
    const counted = new CountedRows(listed(9000));
    expect(await countStates(counted.rows)).toEqual([{ state: 'RUNNING', taskType: 'sample', count: 9000 }]);
    expect(Math.max(...counted.turns)).toBeLessThanOrEqual(2002);
  });

  it('while it glances at many tasks, or at long fields', async () => {
    const head = JSON.stringify({ requestKey: 'k', revision: 1, standing: { plan: null }, state: null });
    const glance = async (tasks: number, fieldBytes: number): Promise<number> => {
      const counted = new CountedRows([], ([kind, , part]) =>
        Buffer.from(kind === 'r' ? 'task' : part === 'h' ? head : 'x'.repeat(fieldBytes)),
      );
      const seen = await glanceAt(
        counted.rows,
        Array.from({ length: tasks }, (_, i) => String(i)),
        ['about'],
      );
      expect(seen).toHaveLength(tasks);
      return counted.turns.length;
    };
    expect(await glance(500, 10)).toBe(5);
    expect(await glance(8, 300_000)).toBe(2);
  });
});
