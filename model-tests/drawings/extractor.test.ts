import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { allCharts } from '../../scripts/charts/chart-list.ts';
import { chartLiteral } from '../../scripts/charts/chart-json.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** What Stately's tools read charts out of source with; it came with XState 4 and was not published for 5, so that it is no dependency of ours. */
interface Extractor {
  extractMachinesFromFile(text: string): { readonly machines: readonly { toConfig(options: object): Data }[] } | null;
}
type Data = Readonly<Record<string, unknown>>;

const sources = {
  task: 'machines/task/task.machine.ts',
  suspension: 'machines/suspension/suspension.machine.ts',
  attempt: 'server/attempt/attempt.machine.ts',
  transport: 'machines/transport/transport.machine.ts',
  connection: 'machines/transport/connection.machine.ts',
  recovery: 'machines/transport/recovery.machine.ts',
  outbox: 'client/outbox/outbox.machine.ts',
  entry: 'client/outbox/entry.machine.ts',
  tab: 'client/tabs/tab.machine.ts',
} as const;

describe.each(Object.entries(sources))('the source of the chart %s, as it stands', (name, file) => {
  test('is read by Stately’s extractor: each state, transition, guard, action, actor, tag and description', () => {
    const found = extractor().extractMachinesFromFile(readFileSync(`${root}${file}`, 'utf8'));
    expect(found?.machines.length).toBe(1);
    const chart = allCharts[name];
    if (!chart) throw new Error(`no chart ${name}`);
    expect(plain(found?.machines[0]?.toConfig({ hashInlineImplementations: true }))).toEqual(plain(chartLiteral(chart)));
  });
});

function extractor(): Extractor {
  try {
    return createRequire(`${root}.data/stately/`)('@xstate/machine-extractor') as Extractor;
  } catch (error) {
    throw new Error('Stately’s extractor is not installed. Run `npm run setup -- stately`.', { cause: error });
  }
}

const kept = ['type', 'initial', 'description', 'src', 'id', 'target'];

/** What both forms say: names of guards and actions without what is around them. Of a transition that enters its state again XState 4 knew nothing. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 1 ? plain(value[0]) : value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const data = value as Data;
  const named = kept.flatMap((key) => (data[key] === undefined ? [] : [[key, data[key]] as const]));
  const tags = [data['tags'] ?? []].flat();
  const guard = data['cond'] ?? data['guard'];
  const effects = ['entry', 'exit', 'actions'].flatMap((key) =>
    data[key] === undefined ? [] : [[key, [data[key]].flat().map(nameOf)] as const],
  );
  const inner = ['on', 'after', 'states'].flatMap((key) => (data[key] === undefined ? [] : [[key, mapped(data[key] as Data)] as const]));
  const ways = ['always', 'invoke', 'onDone', 'onError'].flatMap((key) =>
    data[key] === undefined ? [] : [[key, plain(data[key])] as const],
  );
  return Object.fromEntries([
    ...named,
    ...(tags.length > 0 ? [['tags', tags] as const] : []),
    ...(guard === undefined ? [] : [['guard', nameOf(guard)] as const]),
    ...[...effects, ...inner, ...ways].filter(([, one]) => Object.keys(one as object).length > 0),
  ]);
}

function mapped(data: Data): Data {
  return Object.fromEntries(Object.entries(data).map(([key, one]) => [key, plain(one)]));
}

function nameOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const data = value as Data;
  return 'action' in data ? nameOf(data['action']) : data['type'];
}
