import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../adapters/memory/index.ts';
import {
  attachmentStoreSuite,
  clientSuite,
  defineTests,
  executorSuite,
  failureClasses,
  runSuite,
  serverSuite,
  storeSuite,
  type Case,
  type Suite,
} from '../conformance/index.ts';

const suites: readonly Suite<never>[] = [storeSuite, attachmentStoreSuite, executorSuite, serverSuite, clientSuite];

const small: Suite<{ value?: number }> = {
  name: 'small',
  cases: [
    { id: 'a.holds', title: 'holds', rule: 'the first', run: async () => undefined },
    { id: 'a.breaks', title: 'breaks', rule: 'the second', run: () => Promise.reject(new Error('it is 3, and not 4')) },
    { id: 'a.hangs', title: 'hangs', rule: 'the third', limitMs: 20, run: () => new Promise(() => undefined) },
    {
      id: 'a.wants',
      title: 'wants a value',
      rule: 'the fourth',
      missing: ({ value }) => (value ? undefined : 'no value.'),
      run: async () => undefined,
    },
  ],
};

describe('the suites', () => {
  it('name each case once, with its rule', () => {
    const cases = suites.flatMap((suite) => suite.cases as readonly Case<never>[]);
    const ids = suites.flatMap(({ name, cases: own }) => own.map(({ id }) => `${name} ${id}`));
    expect(new Set(ids).size).toBe(ids.length);
    expect(cases.filter(({ rule, title }) => rule.length < 5 || title.length < 5)).toEqual([]);
  });

  it.each([serverSuite, clientSuite])('have every failure class of the field: $name', ({ cases }) => {
    expect([...new Set(cases.flatMap(({ failureClass }) => failureClass ?? []))].sort()).toEqual(Object.keys(failureClasses).sort());
  });

  it('say what failed, by which rule, and what did not apply', async () => {
    const results = await runSuite(small, async () => ({}), { atOnce: 2 });
    // How long it was waited is the machine's affair.
    expect(results.map(({ id, outcome, why }) => [id, outcome, why?.replace(/\d+ ms/, '… ms')])).toEqual([
      ['a.holds', 'passed', undefined],
      ['a.breaks', 'failed', 'a.breaks: breaks\n  Error: it is 3, and not 4\n  rule: the second'],
      ['a.hangs', 'failed', 'a.hangs: hangs\n  it took longer than … ms\n  rule: the third'],
      ['a.wants', 'inapplicable', 'no value.'],
    ]);
  });

  it('give every case a world of its own, and close it whatever came of it', async () => {
    const [opened, closed]: number[][] = [[], []];
    let worlds = 0;
    const open = async () => {
      const value = (worlds += 1);
      opened?.push(value);
      return { value, close: async () => void closed?.push(value) };
    };
    await runSuite(small, open);
    expect([opened, closed]).toEqual([
      [1, 2, 3, 4],
      [1, 2, 3, 4],
    ]);
  });

  it('leave nothing out quietly: a case that does not apply fails, unless it is named', async () => {
    const tests: Record<string, () => Promise<void>> = {};
    const runner = {
      describe: (_: string, define: () => void) => define(),
      it: (name: string, run: () => Promise<void>) => (tests[name] = run),
    };
    defineTests(runner, small, 'unnamed', async () => ({}));
    await expect(tests['a.wants: wants a value']?.()).rejects.toThrow('a.wants does not apply: no value.');
    defineTests(runner, small, 'named', async () => ({}), { inapplicable: ['a.wants', 'a.holds'] });
    await expect(tests['a.wants: wants a value']?.()).resolves.toBeUndefined();
    await expect(tests['a.holds: holds']?.()).rejects.toThrow('a.holds applies');
    defineTests(runner, small, 'named with its group', async () => ({}), { inapplicable: ['a'] });
    await expect(tests['a.wants: wants a value']?.()).resolves.toBeUndefined();
  });

  it('run at once where they are told to, those that are alone by themselves and last', async () => {
    let running = 0;
    const heard: string[] = [];
    const turn = (id: string, alone?: true) => ({
      id,
      title: 'takes its turn',
      rule: 'the first',
      ...(alone && { alone }),
      missing: async () => undefined,
      async run() {
        running += 1;
        await new Promise((resolve) => setImmediate(resolve));
        heard.push(`${id} beside ${running - 1}`);
        running -= 1;
      },
    });
    const turns: Suite<object> = { name: 'turns', cases: [turn('a', true), turn('b'), turn('c')] };
    const tests: [string, () => Promise<void>][] = [];
    const runner = {
      describe: (_: string, define: () => void) => define(),
      it: (name: string, run: () => Promise<void>) => tests.push([name, run]),
    };
    defineTests(runner, turns, 'at once', async () => ({}), { atOnce: 2 });
    expect(tests.map(([name]) => name.slice(0, 1))).toEqual(['b', 'c', 'a']);
    for (const [, run] of tests) await run();
    expect(heard).toEqual(['b beside 1', 'c beside 0', 'a beside 0']);
  });

  it('find a store that forgets who holds what', async () => {
    const results = await runSuite(storeSuite, async () => {
      const store = memoryStore();
      await store.open();
      return { store: { ...store, held: async () => ({ taskIds: [], next: undefined }) }, close: () => store.close() };
    });
    const failed = results.filter(({ outcome }) => outcome === 'failed').map(({ id }) => id.split('.')[0]);
    expect(new Set(failed)).toEqual(new Set(['leases', 'ends', 'walk']));
  });
});
