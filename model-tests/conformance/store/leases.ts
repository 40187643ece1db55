import type { Lease, Store } from 'taskbridge/server/store';
import { atRest, commitOf, factOf, heldBy, heldOf, leasesOf, sampleTask, takeAll } from './samples.ts';
import type { CaseGroup } from '../suite/case.ts';
import { holds, present, same } from '../suite/claim.ts';

/** Who holds what, and the rows by which a node shows that it lives. */
export const leaseCases: CaseGroup<Store> = (store) => {
  const [ONE, TWO] = ['node-one', 'node-two'];

  async function created(node: string, bucket?: string): Promise<string> {
    const task = sampleTask({ plan: heldBy(node) }, bucket);
    await store().create(task);
    return task.taskId;
  }
  const rowsOf = async (node: string): Promise<Lease[]> => (await store().leases()).filter((lease) => lease.node === node);
  const beats = async (node: string): Promise<number[]> => [...new Set((await rowsOf(node)).map(({ beat }) => beat))];
  const leaseOf = async (node: string, taskId: string): Promise<Lease> =>
    present((await leasesOf(store(), node, taskId))[0], `the lease of ${node}`);
  const outcomes = async (node: string, confirmed: number, beat: number): Promise<string[]> => [
    ...new Set((await store().renew(node, confirmed, beat)).map(({ outcome }) => outcome)),
  ];

  return {
    'gives a node that is made to hold a task a lease with beat 0, in the bucket of the task': async () => {
      same(await store().leases(), []);
      const first = await created(ONE);
      const lease = await leaseOf(ONE, first);
      same([lease.beat, (await rowsOf(ONE)).length], [0, 1]);
      holds(lease.bucket === '' || lease.bucket === first.slice(0, 2), `${lease.bucket} is no bucket of ${first}`);
      const second = sampleTask();
      await store().create(second);
      await store().append(commitOf(second.taskId, 1, { plan: heldBy(TWO) }));
      same((await leaseOf(TWO, second.taskId)).beat, 0);
      same(await heldOf(store(), ONE), [first]);
      same(await heldOf(store(), TWO), [second.taskId]);
    },

    'renews a node’s lease in every bucket at once, or leaves it as it is where the store has one node': async () => {
      const taskId = await created(ONE);
      same(await outcomes(ONE, 0, 5), store().exclusive && (await store().renew(ONE, 0, 5)).length === 0 ? [] : ['renewed']);
      if (store().exclusive) {
        same(await heldOf(store(), ONE), [taskId]);
        return;
      }
      const renewals = await store().renew(ONE, 5, 6);
      same(await beats(ONE), [6]);
      const buckets = (await rowsOf(ONE)).map(({ bucket }) => bucket);
      same(buckets.toSorted(), renewals.map(({ bucket }) => bucket).toSorted());
      same(new Set(buckets).size, buckets.length);
      same(await outcomes(ONE, 6, 7), ['renewed']);
      same(await rowsOf(TWO), []);
    },

    'says so where a row is gone or older than what was confirmed, and renews it all the same': async () => {
      if (store().exclusive) return;
      await store().renew(ONE, 0, 1);
      const gone = present((await rowsOf(ONE)).at(-1), 'a row');
      same(await store().dropLease(gone), true);
      const renewals = await store().renew(ONE, 1, 2);
      same(
        renewals.filter(({ outcome }) => outcome !== 'renewed'),
        [{ bucket: gone.bucket, outcome: 'reset' }],
      );
      same(await beats(ONE), [2]);
      same(await outcomes(ONE, 8, 9), ['reset']);
      same(await outcomes(ONE, 9, 10), ['renewed']);
      same(await beats(ONE), [10]);
    },

    'says so too where a commit has put a missing row back': async () => {
      if (store().exclusive) return;
      await store().renew(ONE, 0, 1);
      for (const lease of await rowsOf(ONE)) same(await store().dropLease(lease), true);
      const taskId = await created(ONE);
      same((await leaseOf(ONE, taskId)).beat, 0);
      same(await outcomes(ONE, 1, 2), ['reset']);
      same(await heldOf(store(), ONE), [taskId]);
    },

    'never lowers a row for a renewal that comes late': async () => {
      if (store().exclusive) return;
      await store().renew(ONE, 0, 7);
      await store().renew(ONE, 0, 5);
      same(await beats(ONE), [7]);
      same(await outcomes(ONE, 7, 8), ['renewed']);
    },

    'leaves the row as it is when its node is made to hold more': async () => {
      if (store().exclusive) return;
      await store().renew(ONE, 0, 4);
      await created(ONE);
      same(await beats(ONE), [4]);
    },

    'gives all that a node holds, page by page': async () => {
      const tasks = await Promise.all(Array.from({ length: 300 }, () => created(ONE, '77')));
      const elsewhere = await Promise.all(['00', '76', '78', 'ff'].map((bucket) => created(ONE, bucket)));
      await created(TWO, '77');
      const lease = await leaseOf(ONE, tasks[0] ?? '');
      const [seen, pages] = [new Set<string>(), [] as number[]];
      let after: string | undefined;
      do {
        const page = await store().held(lease, 50, after);
        for (const taskId of page.taskIds) seen.add(taskId);
        pages.push(page.taskIds.length);
        after = page.next;
      } while (after !== undefined);
      holds(pages.length > 1 && Math.max(...pages) < 150, `the pages have ${pages.join(', ')} of 300 tasks, though 50 were asked for`);
      same(
        tasks.filter((taskId) => !seen.has(taskId)),
        [],
      );
      same(await heldOf(store(), ONE, 7), [...tasks, ...elsewhere].sort());
    },

    'gives nothing of a node that is not known, and nothing that was let go': async () => {
      const [stays, rests, moves, goes] = [
        await created(ONE, '10'),
        await created(ONE, '10'),
        await created(ONE, '10'),
        sampleTask({ plan: heldBy(ONE) }, '10'),
      ];
      await store().create(goes);
      const lease = await leaseOf(ONE, stays);
      await store().append(commitOf(rests, 1, { plan: atRest }));
      await store().append(commitOf(moves, 1, { plan: heldBy(TWO) }));
      await store().remove(goes.taskId, goes.requestKey, 1);
      await store().append(commitOf(stays, 1, { plan: heldBy(ONE) }));
      same([await heldOf(store(), ONE), await heldOf(store(), TWO)], [[stays], [moves]]);
      same(await store().held({ ...lease, node: 'nobody' }, 10), { taskIds: [], next: undefined });
    },

    'drops the row of a node that holds nothing, as it was seen': async () => {
      const taskId = await created(ONE);
      const lease = await leaseOf(ONE, taskId);
      same(await store().dropLease(lease), false, 'the answer while it holds a task');
      same(await rowsOf(ONE), [lease]);
      await store().append(commitOf(taskId, 1, { plan: atRest }));
      for (const row of await rowsOf(ONE)) {
        same(await store().dropLease({ ...row, beat: row.beat + 1 }), false, 'the answer for another beat');
        same(await store().dropLease(row), true);
      }
      same(await store().leases(), []);
      same(await store().dropLease(lease), false, 'the answer for a row that is gone');
    },

    'leaves the row of a node that was renewed since it was seen': async () => {
      if (store().exclusive) return;
      await store().renew(ONE, 0, 1);
      const seen = present((await rowsOf(ONE))[0], 'a row');
      await store().renew(ONE, 1, 2);
      same(await store().dropLease(seen), false);
      same(await beats(ONE), [2]);
    },

    'takes over what a node holds by a commit that names its lease': async () => {
      const [first, second] = [await created(ONE, 'c0'), await created(ONE, 'c0')];
      const lease = await leaseOf(ONE, first);
      for (const taskId of [first, second]) {
        const facts = [factOf(taskId, 1)];
        same(await store().append(commitOf(taskId, 1, { ifLease: lease, facts, plan: heldBy(TWO) })), 'committed');
      }
      same([await heldOf(store(), ONE), await heldOf(store(), TWO)], [[], [first, second].sort()]);
    },

    'writes nothing where the lease is not as it was seen': async () => {
      const taskId = await created(ONE);
      const lease = await leaseOf(ONE, taskId);
      const stale: Lease[] = [
        { ...lease, beat: lease.beat + 1 },
        { ...lease, node: 'nobody' },
      ];
      if (!store().exclusive) {
        await store().renew(ONE, 0, 3);
        stale.push(lease);
      }
      for (const ifLease of stale) {
        const commit = commitOf(taskId, 1, {
          ifLease,
          plan: heldBy(TWO),
          facts: [factOf(taskId, 1)],
          fields: { head: 'x' },
          sideValues: { k: 'x' },
        });
        same(await store().append(commit), 'lease changed');
      }
      same(await store().load(taskId), { revision: 1, fields: { head: '{"state":"accepted"}' } });
      same((await store().lastEventIds([taskId]))[0], null);
      same(await store().sideValues(taskId, ['k']), [undefined]);
      same([await heldOf(store(), ONE), await rowsOf(TWO)], [[taskId], []]);
      same(await store().append(commitOf(taskId, 1, { ifLease: await leaseOf(ONE, taskId), plan: heldBy(TWO) })), 'committed');
    },

    'writes nothing for another revision, whatever lease is named': async () => {
      const taskId = await created(ONE);
      const lease = await leaseOf(ONE, taskId);
      same(await store().append(commitOf(taskId, 2, { ifLease: lease, plan: heldBy(TWO) })), 'conflict');
      same([await heldOf(store(), ONE), await rowsOf(TWO)], [[taskId], []]);
    },

    'lets one of many take a task over': async () => {
      const taskId = await created(ONE);
      const ifLease = await leaseOf(ONE, taskId);
      const takers = Array.from({ length: 10 }, (_, i) => `taker-${i}`);
      const answers = await Promise.all(takers.map((node) => store().append(commitOf(taskId, 1, { ifLease, plan: heldBy(node) }))));
      const winners = takers.filter((_, i) => answers[i] === 'committed');
      same(winners.length, 1);
      same(await heldOf(store(), winners[0] ?? ''), [taskId]);
      same(await heldOf(store(), ONE), []);
    },

    'keeps a hold that has a date out of the rows, and shows it as due when the date has come': async () => {
      const now = await store().now();
      const [over, lasting] = [now - 1, now + 1e9].map((until) => sampleTask({ plan: { wakeAt: null, work: { heldBy: ONE, until } } })) as [
        ReturnType<typeof sampleTask>,
        ReturnType<typeof sampleTask>,
      ];
      for (const task of [over, lasting]) await store().create(task);
      same(await store().leases(), []);
      same(await takeAll(store()), { due: [over.taskId], ready: [] });
      await store().append(commitOf(over.taskId, 1, { plan: { wakeAt: now + 1e9, work: { heldBy: ONE, until: now + 5e8 } } }));
      same(await takeAll(store()), { due: [], ready: [] });
      await store().append(commitOf(lasting.taskId, 1, { plan: { wakeAt: now, work: { heldBy: ONE, until: now + 5e8 } } }));
      same(await takeAll(store()), { due: [lasting.taskId], ready: [] });
      await store().append(commitOf(over.taskId, 2, { plan: heldBy(ONE) }));
      same(await heldOf(store(), ONE), [over.taskId]);
      await store().append(commitOf(over.taskId, 3, { plan: { wakeAt: null, work: { heldBy: ONE, until: now + 5e8 } } }));
      same(await heldOf(store(), ONE), []);
    },
  };
};
