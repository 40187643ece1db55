import { memoryStore, type Memory } from '../../adapters/memory/index.ts';
import type { Commit, Renewal, Store, TailListener } from '../../server/ports/index.ts';
import type { Entity } from './event-queue.ts';
import type { Faults } from './faults.ts';
import type { FaultPoint } from './plan.ts';
import type { Oracle } from './oracle.ts';
import { faultyLanes, witnessedLanes } from './simulated-lanes.ts';
import type { World } from './world.ts';

/** What a node's way to the store is made of. */
export interface SimulatedStoreDeps {
  readonly world: World;
  readonly faults: Faults;
  readonly oracle: Oracle;
  readonly memory: Memory;
  /** How far the store's clock is off. */
  readonly storeClock: { readonly offMs: number };
  readonly exclusive: boolean;
  /** The node. */
  readonly entity: Entity;
  /** Tells the incarnations of one node apart. */
  readonly name: string;
  crash(): void;
  freeze(): void;
  /** A bug between the node and its store, planted to see it found. */
  readonly plant?: ((store: Store, memory: Memory) => Store) | undefined;
}

/** A node's way to the one store: each call takes time, and may fail before or after it was done. */
export interface SimulatedStore extends Store {
  /** No call gets through until then, in milliseconds of the world. */
  awayUntil: number;
  /** No message of the tail gets through for that long; then the tail says that it was interrupted. */
  interrupt(ms: number): void;
}

const unanswered: readonly Renewal[] = [{ bucket: '', outcome: 'unanswered' }];

export function simulatedStore(deps: SimulatedStoreDeps): SimulatedStore {
  const { world, faults, oracle, memory, storeClock, exclusive, entity, name } = deps;
  const random = world.random(`store ${name}`);
  const plain = memoryStore({
    memory,
    clock: { now: () => world.now + storeClock.offMs, setTimeout: () => undefined, clearTimeout: () => undefined },
  });
  const base = deps.plant?.(witnessed(plain), memory) ?? witnessed(plain);
  const listeners = new Set<TailListener>();
  /** Commits that were decided while the node was closing. */
  const lateCommits = new WeakSet<Commit>();
  let tailAwayUntil = 0;
  let isOpen = false;

  function witnessed(store: Store): Store {
    return {
      ...store,
      append(commit) {
        const row = memory.tasks.get(commit.taskId);
        const [before, plan] = [row?.revision, row?.plan];
        const written = store.append(commit);
        if (row && plan && row.revision !== before) {
          if (oracle.of(commit.taskId).lost.length === 0) oracle.work.committed(commit, plan, row, name, lateCommits.has(commit));
          oracle.committed(commit, row, name);
        }
        // What a node that has closed its store still says is refused, and no mistake.
        const wasOpen = isOpen;
        written.catch(
          (error: unknown) => wasOpen && world.fault('sound commits', `${name} wrote what no store may take: ${String(error)}`),
        );
        return written;
      },
      renew(node, confirmed, beat) {
        oracle.work.renewed(name, node);
        return store.renew(node, confirmed, beat);
      },
      create(task) {
        const isNew = !memory.tasks.has(task.taskId) && !memory.requests.has(task.requestKey);
        const created = store.create(task);
        // A node that has closed its store by then writes nothing any more.
        if (isNew && memory.tasks.has(task.taskId)) oracle.created(task, name);
        return created;
      },
      ...(store.lanes && { lanes: witnessedLanes(store.lanes, { oracle, memory }) }),
    };
  }

  function call<T>(point: FaultPoint, verb: () => Promise<T>, conflict?: T): Promise<T> {
    if (entity.isDead) return new Promise(() => undefined);
    const away = !faults.isCalm && world.time < simulated.awayUntil;
    const what = faults.strike(point, name) ?? (away ? (random.odds(0.7) ? 'before' : 'after') : undefined);
    const outMs = random.odds(0.6) ? 0 : random.fraction() * 3;
    const backMs = what === 'slow' ? 2_000 + random.fraction() * 5_000 : 0.1 + random.fraction() * (random.odds(0.05) ? 200 : 3);
    const isLate = what === 'late' || what === 'crash late';
    return new Promise<T>((resolve, reject) => {
      const fail = (why: string): unknown => world.after(backMs, entity, () => reject(new Error(why)));
      if (what === 'crash before') return deps.crash();
      if (what === 'crash late') deps.crash();
      if (what === 'before') return void fail('The store is out of reach.');
      if (what === 'conflict' && conflict !== undefined) return void world.after(backMs, entity, () => resolve(conflict));
      // On its way it is out of the node's hands, whatever becomes of that.
      if (what === 'repeated') world.after(outMs + random.fraction() * 50, world.itself, () => void verb().catch(() => undefined));
      world.after(isLate ? outMs + 500 + random.fraction() * 12_000 : outMs, world.itself, () => {
        verb().then(
          (result) => {
            if (what === 'crash after') deps.crash();
            else if (what === 'after') fail('The reply was lost.');
            else world.after(backMs, entity, () => resolve(result));
            if (what === 'freeze') deps.freeze();
          },
          (error: unknown) => world.after(backMs, entity, () => reject(error as Error)),
        );
      });
    });
  }

  const simulated: SimulatedStore = {
    name: 'simulated',
    exclusive,
    awayUntil: 0,
    open() {
      isOpen = true;
      return base.open();
    },
    close() {
      isOpen = false;
      return base.close();
    },
    id: () => base.id(),
    now: () => call('now', () => base.now()),
    create: (task) => call('create', () => base.create(task)),
    load: (taskId) => call('load', () => base.load(taskId)),
    sideValues: (taskId, names) => call('kept', () => base.sideValues(taskId, names)),
    append(commit) {
      if (oracle.work.isClosing(name)) lateCommits.add(commit);
      return call('append', () => base.append(commit), 'conflict');
    },
    remove: (taskId, requestKey, revision) => call('append', () => base.remove(taskId, requestKey, revision), 'conflict'),
    take: (request) => call('take', () => base.take(request)),
    // Where nobody answers, that is the answer.
    renew: (node, confirmed, beat) => call('renew', () => base.renew(node, confirmed, beat)).catch(() => unanswered),
    leases: () => call('leases', () => base.leases()),
    held: (of, limit, after) => call('held', () => base.held(of, limit, after)),
    dropLease: (of) => call('held', () => base.dropLease(of)),
    names: (owner, limit, after) => call('owners', () => base.names(owner, limit, after)),
    glance: (requestKeys, fieldNames) => call('owners', () => base.glance(requestKeys, fieldNames)),
    forget: (...asked) => call('owners', () => base.forget(...asked)),
    count: (changes) => call('owners', () => base.count(changes)),
    shares: (owner) => call('owners', () => base.shares(owner)),
    setShares: (owner, shares, ifVersion) => call('owners', () => base.setShares(owner, shares, ifVersion), false),
    owners: (limit, after) => call('owners', () => base.owners(limit, after)),
    inState: (state, taskType, limit, after) => call('owners', () => base.inState(state, taskType, limit, after)),
    counts: () => call('owners', () => base.counts()),
    read: (taskId, from, limit) => call('read', () => base.read(taskId, from, limit)),
    ...(base.lanes && { lanes: faultyLanes(base.lanes, call) }),
    lastEventIds: (taskIds) => call('lastEventIds', () => base.lastEventIds(taskIds)),
    tail(listener) {
      const arrivals = new Map<string, number>();
      listeners.add(listener);
      const arrive = (point: 'tail' | 'tail.part', taskId: string, tell: () => void): void => {
        if (entity.isDead) return;
        const what = faults.strike(point, name);
        if (what === 'lost' || (world.time < tailAwayUntil && !faults.isCalm)) return;
        const ms = what === 'late' ? 1_000 + random.fraction() * 6_000 : random.fraction() * (random.odds(0.1) ? 100 : 3);
        const at = Math.max(world.time + ms, arrivals.get(taskId) ?? 0);
        arrivals.set(taskId, at);
        world.after(at - world.time, entity, tell);
      };
      const tail = base.tail({
        committed: (...told) => arrive('tail', told[0], () => listener.committed(...told)),
        part: (...told) => arrive('tail.part', told[0], () => listener.part?.(...told)),
        interrupted: () => undefined,
        announced: (notice) => entity.isDead || listener.announced?.(notice),
      });
      return {
        watch: (taskId) => call('watch', () => tail.watch(taskId)),
        watchParts: (taskId) => call('watch', async () => tail.watchParts?.(taskId)),
        unwatch: (taskId) => tail.unwatch(taskId),
        announce: (notice) => call('watch', () => tail.announce(notice)),
        async close() {
          listeners.delete(listener);
          await tail.close();
        },
      };
    },
    interrupt(ms) {
      tailAwayUntil = world.time + ms;
      world.after(ms, entity, () => listeners.forEach((listener) => listener.interrupted()));
    },
  };
  return simulated;
}
