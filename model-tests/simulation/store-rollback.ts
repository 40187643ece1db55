import type { Memory } from '../../adapters/memory/index.ts';
import type { TaskRow } from '../../adapters/memory/memory.ts';
import { setState } from '../../adapters/memory/states.ts';
import { setPlan } from '../../adapters/memory/work.ts';
import type { Oracle } from './oracle.ts';
import type { World } from './world.ts';

const backedUp = ['fields', 'sideValues', 'plan', 'log', 'lanes', 'firstRetained', 'lastEventId', 'ended', 'state'] as const;

/** A task as the store had it after one commit. */
interface Backup {
  readonly row: Pick<TaskRow, (typeof backedUp)[number]>;
  readonly facts: number;
}

/** What the marks of a store do, by numbers alone: no revision of a history that was lost is ever one of the history that follows it. */
const MARK = 1_000;

/** Keeps what the store had after each commit, and can lead one task back there: as a replica does that was promoted too early. */
export class StoreRollback {
  readonly #world: World;
  readonly #oracle: Oracle;
  readonly #memory: Memory;
  readonly #backups = new Map<string, Backup[]>();

  constructor(world: World, oracle: Oracle, memory: Memory) {
    this.#world = world;
    this.#oracle = oracle;
    this.#memory = memory;
    oracle.onCommitted = ({ taskId, facts }, row) => {
      const backups = this.#backups.get(taskId) ?? [];
      this.#backups.set(taskId, backups);
      backups.push({ row: copyOf(row), facts: facts.length });
    };
  }

  /** The newest commits of a task were never made. False where there is nothing to lose. */
  restore(taskId: string, commits: number): boolean {
    const backups = this.#backups.get(taskId) ?? [];
    const row = this.#memory.tasks.get(taskId);
    const lost = Math.min(commits, backups.length - 1);
    const backup = backups[backups.length - 1 - lost];
    if (!row || !backup || lost <= 0) return false;
    backups.length -= lost;
    const { log, plan, state, lanes, ...rest } = copyOf(backup.row);
    Object.assign(row, rest, { revision: row.revision + MARK });
    setPlan(this.#memory, row, plan, this.#world.now);
    setState(this.#memory, row, state, this.#world.now);
    row.log.splice(0, row.log.length, ...log);
    row.lanes.clear();
    for (const [lane, kept] of lanes) row.lanes.set(lane, kept);
    this.#world.tell('store', `goes back by ${lost} commits of ${taskId.slice(0, 4)}, to fact ${backup.facts}`);
    this.#oracle.restored(taskId, backup.facts, row.firstRetained);
    this.#oracle.lanes.restored(row);
    return true;
  }

  /** The newest flushes of a task were never made. False where there are none since its last commit: what follows a commit goes before it. */
  loseBytes(taskId: string, flushes: number): boolean {
    const row = this.#memory.tasks.get(taskId);
    const undone = row ? this.#oracle.lanes.undo(row, flushes) : 0;
    if (undone > 0) this.#world.tell('store', `loses ${undone} flushes of ${taskId.slice(0, 4)}`);
    return undone > 0;
  }
}

function copyOf({ fields, sideValues, plan, log, lanes, firstRetained, lastEventId, ended, state }: Backup['row']): Backup['row'] {
  const copies = [...lanes].map(([lane, row]) => [lane, { ...row, buffer: row.buffer.slice() }] as const);
  const kept = { fields: new Map(fields), sideValues: new Map(sideValues), lanes: new Map(copies) };
  return { ...kept, plan, log: [...log], firstRetained, lastEventId, ended, state };
}
