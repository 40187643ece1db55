import type { TransportName } from 'taskbridge/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chaosProxy, type ChaosProxy } from '../conformance/index.ts';
import { turns } from '../support/eventually.ts';
import { patience } from '../support/patience.ts';
import { seededRandom, type SeededRandom } from '../support/seeded-random.ts';
import { persistentClient, watchParts, type PartWatch } from './part-watch.ts';
import { proveShown, servedParts, spliceOf, type ServedPart } from './part-proof.ts';
import type { WritingHost } from './writing-host.ts';
import { PLAN_LINES, textOf } from './writer-text.ts';

/** `KILLS=50 npx vitest run model-tests/parts` for more of them; `SEED` to see the same moments again. */
const KILLS = Number(process.env['KILLS'] ?? 5);
const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const TRANSPORTS: readonly (readonly TransportName[])[] = [['ws'], ['sse'], ['poll'], ['ws', 'sse', 'poll']];
const NAMES = ['plan', 'answer'];

/** What kinds of work there are: see the host. */
const KINDS = ['restart', 'continue', 'once'] as const;
type Kind = (typeof KINDS)[number];

/** Proves that each text is of one writer, and none of a writer that had no end. */
function proveWritten(kind: Kind, parts: readonly ServedPart[], result: { readonly attempt: number } | undefined): void {
  const wholeOf = ({ name, text }: ServedPart): string => {
    const writer = /^[^:]*/.exec(text)?.[0] ?? '';
    return name === 'plan' ? textOf(writer, PLAN_LINES) : textOf(writer);
  };
  for (const part of parts) {
    const whole = wholeOf(part);
    expect(spliceOf(part.text, whole)).toBeUndefined();
    if (part.outcome === 'DONE') expect([part.name, part.text.length]).toEqual([part.name, whole.length]);
  }
  const answers = parts.filter(({ name }) => name === 'answer');
  const done = answers.filter(({ outcome }) => outcome === 'DONE');
  const last = answers.at(-1);
  // Killed behind the end of its answer, and before its own: this one failed with a whole answer, the others wrote another one.
  if (kind === 'once') return void expect(done.length).toBeGreaterThanOrEqual(result ? 1 : 0);
  expect(last?.outcome).toBe('DONE');
  if (kind === 'continue') expect(done).toEqual(answers);
  else expect(new Set(answers.flatMap(({ text }) => /^\d+:/.exec(text) ?? [])).size).toBe(answers.filter(({ text }) => text !== '').length);
  expect(last?.text.startsWith(kind === 'continue' ? 'all:' : `${result?.attempt}:`)).toBe(true);
}

/** A host with all that it needs, whose nodes may be killed. */
export interface Hosted {
  readonly nodes: readonly WritingHost[];
  readonly proxy: ChaosProxy;
  close(): Promise<void>;
}

/** Lays a wire to the nodes of a host. */
export async function hosted(nodes: readonly WritingHost[], close: () => Promise<void>): Promise<Hosted> {
  let turn = 0;
  // Each connection goes to the next node that takes it.
  const proxy = await chaosProxy({
    target() {
      turn += 1;
      return nodes.map((_, nth) => nodes[(nth + turn) % nodes.length] ?? nodes[0]).filter((node) => node !== undefined);
    },
  });
  return {
    nodes,
    proxy,
    async close() {
      await proxy.close();
      await Promise.all(nodes.map((node) => node.kill()));
      await close();
    },
  };
}

/** How a run of work ended, by its log. */
async function resultOf(watch: PartWatch): Promise<{ readonly attempt: number } | undefined> {
  const last = (await watch.log).at(-1);
  return last?.type === 'TASK_COMPLETED' ? (last.payload as { result: { attempt: number } }).result : undefined;
}

/** Kills somebody when so many characters were shown, a moment later, and starts him again. */
async function killAt(watch: PartWatch, characters: number, random: SeededRandom, victims: readonly WritingHost[]): Promise<void> {
  await new Promise<void>((resolve) => {
    const look = (): void => {
      if (watch.shown < characters) return;
      stop();
      resolve();
    };
    const stop = watch.onShown(look);
    look();
  });
  await turns(random.below(300));
  await Promise.all(
    victims.map(async (victim) => {
      await victim.kill();
      await victim.restart();
    }),
  );
}

/** Tests of writers that are killed on one store: their host is started before all, and closed after all. */
export function proveKills(store: string, start: () => Promise<Hosted>): void {
  let host: Hosted;
  beforeAll(async () => {
    host = await start();
  });
  afterAll(() => host.close());
  const random = seededRandom(`${SEED} ${store}`);
  const size = textOf(1).length;
  const kills = Array.from({ length: KILLS }, (_, nth) => ({
    kill: nth + 1,
    // Now and then twice in one task.
    moments: Array.from({ length: random.odds(0.2) ? 2 : 1 }, () => random.below(size)).sort((a, b) => a - b),
    victims: random.pick([[0], [1], [0, 1]] as const),
    SEED,
  }));

  test.each(kills)(
    'leave no part open and no text of two: kill $kill, at $moments, of $victims (SEED=$SEED)',
    { timeout: patience(60_000) },
    async ({ kill, moments, victims }) => {
      const baseUrl = host.proxy.url;
      const starting = persistentClient(baseUrl);
      const watched = await Promise.all(
        KINDS.map(async (kind, nth) => {
          const { taskId } = await starting.start({ taskType: kind, input: { ends: kill % 2 === 0 } });
          const transports = TRANSPORTS[(nth + kill) % TRANSPORTS.length] ?? ['ws'];
          return { kind, taskId, watch: watchParts(taskId, NAMES, persistentClient(baseUrl, { transports })) };
        }),
      );
      const killed = host.nodes.filter((_, nth) => (victims as readonly number[]).includes(nth) || host.nodes.length === 1);
      const [first] = watched;
      for (const at of moments) if (first) await killAt(first.watch, at, random, killed);
      for (const { kind, taskId, watch } of watched) {
        const parts = await servedParts(baseUrl, taskId, await watch.log);
        proveWritten(kind, parts, await resultOf(watch));
        proveShown(watch, parts);
        expect(watch.parts.filter(({ restarts }) => restarts > 0)).toEqual([]);
        const late = watchParts(taskId, NAMES, persistentClient(baseUrl));
        await late.log;
        proveShown(late, parts);
        await Promise.all([watch.close(), late.close()]);
      }
      await starting.close();
    },
  );
}
