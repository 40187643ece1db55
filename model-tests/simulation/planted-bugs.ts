import type { StoredEntry } from '../../client/outbox/index.ts';
import type { Entry, Lease, LoadedTask } from '../../server/ports/index.ts';
import type { PlantedBug } from './planted-bug.ts';
import { plantedPartBugs } from './planted-part-bugs.ts';
import { withViewers } from './planted-viewer.ts';

/** Says whether a fact ends its log, from its bytes alone. */
function isLast({ bytes }: Entry): boolean {
  return /^\{"type":"TASK_(COMPLETED|FAILED|CANCELLED)"/.test(Buffer.from(bytes).toString('utf8'));
}

/** What was loaded, with another text in its execution record. */
function withRecord(loaded: LoadedTask | undefined, pattern: RegExp, text: string): LoadedTask | undefined {
  return loaded && { ...loaded, fields: { ...loaded.fields, ledger: (loaded.fields['ledger'] ?? '').replace(pattern, text) } };
}

/** Bugs, each planted from outside the product: what would happen if it did this. */
export const plantedBugs: Readonly<Record<string, PlantedBug>> = {
  /** Forgets which reports were taken, and which actions. */
  'skips dedupe': {
    store: (store) => ({
      ...store,
      async load(taskId) {
        const loaded = await store.load(taskId);
        return loaded && { ...loaded, fields: { ...loaded.fields, sources: '{}' } };
      },
      sideValues: async (taskId, names) =>
        (await store.sideValues(taskId, names)).map((value, index) => (names[index]?.startsWith('r:') ? undefined : value)),
    }),
  },
  /** Overlooks a task when it counts what its owner has. */
  'miscounts what an owner has': {
    way: (store) => ({ ...store, names: async (owner, limit, after) => (await store.names(owner, limit, after)).slice(after ? 0 : 1) }),
  },
  /** Begins a page of a list with the last task of the page before. */
  'shows a task of a list twice': {
    way: (store) => ({
      ...store,
      // A recount asks for more at once, and would come to no end.
      names: async (owner, limit, after) =>
        after && limit <= 3 ? [after, ...(await store.names(owner, limit, after))] : store.names(owner, limit, after),
    }),
  },
  /** Takes a task for gone that another page has passed. */
  'leaves a task out of a list': {
    way: (store) => ({
      ...store,
      names: async (owner, limit, after) => (await store.names(owner, limit, after)).slice(after && limit <= 3 ? 1 : 0),
    }),
  },
  /** Tells viewers of facts, then writes them. */
  'publishes before commit': {
    way: (store, memory) => ({
      ...store,
      append(commit) {
        const { taskId, facts, ended } = commit;
        if (facts.length > 0) memory.tails.publish(taskId, facts, ended, memory.tasks.get(taskId)?.lastEventId ?? null);
        return store.append(commit);
      },
    }),
  },
  /** Looks at other nodes' leases once, and goes by that. */
  'takes work from a node that lives': {
    way(store) {
      const seen = new Map<string, Lease>();
      return {
        ...store,
        async leases() {
          const leases = await store.leases();
          for (const lease of leases) if (!seen.has(lease.node)) seen.set(lease.node, lease);
          return leases.map((lease) => seen.get(lease.node) ?? lease);
        },
        async append(commit) {
          const current = commit.ifLease && (await store.leases()).find(({ node }) => node === commit.ifLease?.node);
          return store.append(current ? { ...commit, ifLease: current } : commit);
        },
      };
    },
  },
  /** Says that the lease is renewed, and leaves it as it is. */
  'renews no lease': {
    way: (store) => ({ ...store, renew: async () => [{ bucket: '', outcome: 'renewed' }] }),
  },
  /** Lets work that ends its process begin anew for ever. */
  'forgets how often work has crashed': {
    way: (store) => ({ ...store, load: async (taskId) => withRecord(await store.load(taskId), /"crashes":\d+/, '"crashes":0') }),
  },
  /** Takes what was claimed for begun. */
  'loses work that never began': {
    way: (store) => ({ ...store, load: async (taskId) => withRecord(await store.load(taskId), /"unbegun"/, '"begun"') }),
  },
  /** Writes whatever it decided, on whatever is there. */
  'drops the expected revision': {
    store: (store, memory) => ({
      ...store,
      append: (commit) => store.append({ ...commit, expectedRevision: memory.tasks.get(commit.taskId)?.revision ?? 0 }),
    }),
  },
  /** Takes a fact for dealt with as soon as it was handed over. */
  'moves the checkpoint early': {
    iterate(observation) {
      const inner = observation[Symbol.asyncIterator]();
      let ahead: ReturnType<typeof inner.next> | undefined;
      return {
        async next() {
          const result = await (ahead ?? inner.next());
          ahead = result.done ? undefined : inner.next();
          ahead?.catch(() => undefined);
          return result;
        },
        return: async () => inner.return?.() ?? { done: true, value: undefined },
      };
    },
  },
  /** Sees the last fact coming, and ends the connection instead of sending it. */
  'closes before the last fact': {
    hub: withViewers((viewer) => ({
      facts(entries) {
        const last = entries.at(-1);
        if (!last || !isLast(last)) return viewer.facts(entries);
        if (entries.length > 1) viewer.facts(entries.slice(0, -1));
        viewer.end();
      },
    })),
  },
  /** Makes a new id each time that a kept answer is sent. */
  'sends kept answers under new ids': {
    commands(client) {
      let tries = 0;
      return {
        start: client.start,
        act: (taskId, request, options) =>
          client.act(taskId, { ...request, clientActionId: `${request.clientActionId}, try ${(tries += 1)}` }, options),
        cancel: client.cancel,
      };
    },
  },
  /** Takes a command off the shelf when it is sent, and puts back what became of it. */
  'keeps no command that is on its way': {
    shelf(store) {
      const onTheirWay = new Map<string, StoredEntry>();
      return {
        ...store,
        read: async () => [...(await store.read()), ...onTheirWay.values()],
        change: (decide) =>
          store.change((stored) => {
            const { keep = [], remove = [] } = decide([...stored, ...onTheirWay.values()]);
            for (const { id } of keep) onTheirWay.delete(id);
            const sent = keep.filter((entry) => 'state' in entry && entry.state === 'sending');
            for (const entry of sent) onTheirWay.set(entry.id, entry);
            return { keep: keep.filter((entry) => !sent.includes(entry)), remove: [...remove, ...sent.map(({ id }) => id)] };
          }),
      };
    },
  },
  /** Holds what a proxy says for the server's own word. */
  'believes a proxy': {
    fetch: (fetcher) =>
      (async (...request: Parameters<typeof fetch>) => {
        const response = await fetcher(...request);
        if (response.ok || response.status >= 500 || !response.headers.get('content-type')?.includes('html')) return response;
        return Response.json({ code: 'NOT_FOUND', message: 'There is nothing here.' }, { status: response.status });
      }) as typeof fetch,
  },
  /** Asks for new credentials once, and answers from what it got for ever. */
  'refreshes its credentials only once': {
    auth(provider) {
      let asked = false;
      return (request) => {
        const forceRefresh = request.forceRefresh && !asked;
        asked ||= request.forceRefresh;
        return provider({ ...request, forceRefresh });
      };
    },
  },
  /** Takes a failure of whoever gives credentials for a word of the server. */
  'gives up when its provider fails': {
    classify: ({ code }) => (code === 'CREDENTIALS_UNAVAILABLE' ? 'final' : undefined),
  },
  /** Takes a provider that fails for one that says that nobody is signed in. */
  'takes a provider that throws for a person who left': {
    auth: (provider) => async (request) => {
      try {
        return await provider(request);
      } catch {
        return null;
      }
    },
  },
  /** Goes on with the new history, and does not say that there is one. */
  'says nothing of a history that was replaced': {
    hub: withViewers((viewer) => ({
      gap(found) {
        if (found.reason !== 'reset') viewer.gap(found);
      },
    })),
  },
  /** Leads, and takes one fact for another on its way to the other tabs. */
  'mixes up what it tells other tabs': {
    channels: (channels) => ({
      open(name, onMessage) {
        const channel = channels.open(name, onMessage);
        return {
          post: (message) => channel.post(JSON.parse(JSON.stringify(message).replaceAll('TASK_MESSAGE', 'TASK_PROGRESS'))),
          close: () => channel.close(),
        };
      },
    }),
  },
  ...plantedPartBugs,
};
