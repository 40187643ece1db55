import { describe, expect, it, vi } from 'vitest';
import { heldTasks } from './held-tasks.ts';
import { subscribe, watchedHost, wayNames, type Attempt, type Way } from './ways-to-watch.ts';

const ROOM = 4;
const NO_ROOM = '429 RATE_LIMITED 5';

async function scene(live: Parameters<typeof watchedHost>[1]) {
  const held = heldTasks();
  const host = await watchedHost(held.executor, live);
  const tries = async (owner: string, way: Way): Promise<Attempt> => host.ways[way](owner, await host.start(owner));
  /** Whether there is room for one more; it leaves at once. */
  const asks = async (owner: string, way: Way): Promise<string> => {
    const { outcome, leave } = await tries(owner, way);
    leave();
    return outcome;
  };
  return { ...host, held, tries, asks };
}

describe('the room of one owner', () => {
  it.each(wayNames)('is for so many viewers by %s, no more by any other way, and comes back with each that leaves', async (way) => {
    const { tries, asks } = await scene({ viewersPerOwnerMax: ROOM });
    const taken: Attempt[] = [];
    const fill = async () => {
      const one = await tries('eve', way);
      expect(one.outcome).toBe('taken');
      taken.push(one);
    };
    while (taken.length < ROOM - 1) await fill();
    for (const other of wayNames) await vi.waitFor(async () => expect(await asks('eve', other)).toBe('taken'));
    // The last one that only asked may not have left yet.
    await vi.waitFor(fill);
    for (const other of wayNames)
      expect(await asks('eve', other)).toBe(way === 'shared socket' && other === way ? '1013 RATE_LIMITED' : NO_ROOM);
    for (const other of wayNames) expect(await asks('bob', other)).toBe('taken');
    taken.pop()?.leave();
    await vi.waitFor(async () => expect(await asks('eve', way)).toBe('taken'));
  });

  it('counts a socket that has not subscribed yet, when the next one comes', async () => {
    const { open, tries, asks } = await scene({ viewersPerOwnerMax: 2 });
    expect((await tries('eve', 'stream')).outcome).toBe('taken');
    expect(await open('eve')).toHaveProperty('ws');
    expect(await asks('eve', 'web socket')).toBe(NO_ROOM);
    expect(await asks('bob', 'web socket')).toBe('taken');
  });

  it('is none for a socket that subscribes when streams have taken it: it is cut, and told why when it comes back', async () => {
    const { open, start, tries, asks } = await scene({ viewersPerOwnerMax: 2 });
    const opened = await open('eve');
    for (let nth = 0; nth < 2; nth += 1) expect((await tries('eve', 'stream')).outcome).toBe('taken');
    if (!('ws' in opened)) throw new Error(opened.outcome);
    expect((await subscribe(opened, await start('eve'))).outcome).toBe('cut');
    expect(await asks('eve', 'web socket')).toBe(NO_ROOM);
  });

  it('is told as its own, not as that of the server', async () => {
    const { tries } = await scene({ viewersPerOwnerMax: 1 });
    await tries('eve', 'stream');
    const { text } = await tries('eve', 'stream');
    expect((JSON.parse(text()) as { message: string }).message).toMatch(
      /^This caller has 1 streams and waiting polls over all connections/,
    );
  });
});

describe('an owner who takes all there is', () => {
  it('leaves room for the others, who are served by every way', async () => {
    const ofOwner = 40;
    const { tries, start, ways, held } = await scene({ viewersMax: 50, viewersPerOwnerMax: ofOwner, tasksPerSocketMax: 30 });
    const grab = (way: Way) => Promise.all(Array.from({ length: 15 }, () => tries('eve', way)));
    const grabbed = (await Promise.all(wayNames.map(grab))).flat();
    expect(grabbed.filter(({ outcome }) => outcome === 'taken').length).toBeGreaterThanOrEqual(ofOwner - 1);
    expect(grabbed.filter(({ outcome }) => outcome === 'taken').length).toBeLessThanOrEqual(ofOwner);

    const taskId = await start('bob');
    const task = await held.of(taskId);
    const served = await Promise.all(wayNames.map((way) => ways[way]('bob', taskId)));
    expect(served.map(({ outcome }) => outcome)).toEqual(wayNames.map(() => 'taken'));
    await task.message('news for bob');
    for (const { text } of served) await vi.waitFor(() => expect(text()).toContain('news for bob'));
  });
});
