import type { LoadProcess, TokenProcess } from '../processes/bench-processes.ts';
import { readable } from '../results/markdown.ts';
import type { Row } from '../results/row.ts';
import { JOIN_END, type TokenResult } from '../systems/token-system.ts';
import { spreadOf } from '../statistics.ts';
import { alternate, type Bench } from './bench.ts';
import { redisMicroseconds } from './redis-time.ts';

type Who = 'ours' | 'bareWs';

interface Party {
  readonly system: TokenProcess;
  readonly load: LoadProcess;
  readonly tasks: readonly string[];
}

/** What somebody who speaks costs, and how late he is heard. */
interface Spoken extends TokenResult {
  /** Processor time of the server, and of Redis, in microseconds. */
  readonly serverUs: number;
  readonly redisUs: number;
  readonly p50: number;
  readonly p99: number;
  /** Frames of text that came, to all viewers together. */
  readonly frames: number;
}

const TASKS = 1000;
const PER_SECOND = 100;
/** As facts they come at a pace that can be kept. */
const FACTS_PER_SECOND = 4;
/** How often the text of a part is flushed where nobody says otherwise, and the share of that which is the pace. */
const FLUSH_MS = 50;
const SUSTAINED_SHARE = 0.75;
const VIEWERS = 1000;
const JOINED_BYTES = 1024 * 1024;
/** Joined in turn: so many that nobody keeps what was made for the one before. */
const JOINED_TEXTS = 24;
const PARTS = 10_000;
/** Before it is measured, so many came: what a process makes once is not theirs. */
const WARMING = 500;
const WATCHED = 2000;

/** Tokens from the handler that writes them to the viewers that are shown them, and what is open meanwhile. */
export async function tokens(bench: Bench): Promise<readonly Row[]> {
  return [...(await manyTasks(bench)), ...(await manyViewers(bench)), ...(await lateJoins(bench)), ...(await openParts(bench))];
}

/** Many tasks speak at once, each to a viewer of its own. */
async function manyTasks(bench: Bench): Promise<readonly Row[]> {
  const name = `${TASKS} tasks, ${PER_SECOND} tokens/s each, a viewer each`;
  const each = `${name}, beside a fact each`;
  if (!bench.wants(name) && !bench.wants(each)) return [];
  const parties = await assemble(bench, TASKS, TASKS);
  const frames: Partial<Record<Who, number[]>> = {};
  const p50: Partial<Record<Who, number[]>> = {};
  const p99: Partial<Record<Who, number[]>> = {};
  const token: Partial<Record<Who, number[]>> = {};
  const facts: Partial<Record<Who, number[]>> = {};
  const measured = [...parties].map(([who, party]) => {
    const measure = async (): Promise<number> => {
      if (who === 'ours') {
        const said = await speak(bench, party, FACTS_PER_SECOND, 'facts');
        (facts.ours ??= []).push((said.serverUs + said.redisUs) / said.tokens);
      }
      const said = await speak(bench, party, PER_SECOND, 'text');
      (frames[who] ??= []).push(said.frames / (said.ms / 1000));
      (p50[who] ??= []).push(said.p50);
      (p99[who] ??= []).push(said.p99);
      (token[who] ??= []).push((said.serverUs + said.redisUs) / said.tokens);
      bench.say(
        `${who}: server ${readable(said.serverUs / said.ms / 1000)}, Redis ${readable(said.redisUs / said.ms / 1000)} cores, ${readable(said.frames)} frames`,
      );
      return (said.serverUs + said.redisUs) / said.ms / 1000;
    };
    return [who, { measure }] as const;
  });
  const cores = await alternate(bench, name, bench.rounds(5, 3), Object.fromEntries(measured));
  await endAll(bench, parties);
  // Who is given too little of the machine shows more in fewer frames: that is cheap, and no answer.
  const isSustained = spreadOf(frames.ours ?? [0]).median >= SUSTAINED_SHARE * TASKS * (1000 / FLUSH_MS);
  if (!isSustained) bench.say('The pace was not sustained: this machine has too little left. What is judged at that pace is not judged.');
  return [
    { name, unit: 'frames/s', figures: frames },
    { name, unit: 'cores of server and Redis', figures: cores, bars: isSustained ? [{ atMost: 0.6 }] : [] },
    { name, unit: 'p50 ms', figures: p50 },
    { name, unit: 'p99 ms', figures: p99, bars: isSustained ? [{ atMost: 150 }] : [] },
    { name: `${TASKS} tasks, a fact for each token, a viewer each`, unit: 'µs of server and Redis a token', figures: facts },
    {
      name: each,
      unit: 'µs of server and Redis a token',
      figures: { ...token, ...(facts.ours && { first: facts.ours }) },
      bars: isSustained ? [{ against: 'first', atMost: 0.1 }] : [],
    },
  ];
}

/** One task speaks to many. */
async function manyViewers(bench: Bench): Promise<readonly Row[]> {
  const name = `1 task, ${PER_SECOND} tokens/s, ${VIEWERS} viewers`;
  if (!bench.wants(name)) return [];
  const parties = await assemble(bench, 1, VIEWERS);
  const p99: Partial<Record<Who, number[]>> = {};
  const measured = [...parties].map(([who, party]) => {
    const measure = async (): Promise<number> => {
      const said = await speak(bench, party, PER_SECOND, 'text', VIEWERS);
      (p99[who] ??= []).push(said.p99);
      return said.frames / (said.serverUs / 1e6);
    };
    return [who, { measure }] as const;
  });
  const figures = await alternate(bench, name, bench.rounds(5, 3), Object.fromEntries(measured));
  await endAll(bench, parties);
  return [
    { name, unit: 'frames a second of the server’s processor', figures, bars: [{ against: 'bareWs', atLeast: 0.8 }] },
    { name, unit: 'p99 ms', figures: p99 },
  ];
}

/** A client that has nothing is shown a long text: one that nobody was shown for a while, and one that others are shown all the time. */
async function lateJoins(bench: Bench): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const { name, texts } of [
    { name: 'a late join of 1 MiB, from the frame that subscribes until the last byte', texts: JOINED_TEXTS },
    { name: 'a late join of 1 MiB that others have joined, until the last byte', texts: 1 },
  ])
    if (bench.wants(name)) rows.push(...(await lateJoinsOf(bench, name, texts)));
  return rows;
}

async function lateJoinsOf(bench: Bench, name: string, texts: number): Promise<readonly Row[]> {
  const parties = await assemble(bench, 0, 0);
  const times = bench.quick ? 50 : 200;
  const processor: Partial<Record<Who, number[]>> = {};
  const measured: [Who, { measure(): Promise<number> }][] = [];
  for (const [who, { system, load }] of parties) {
    const taskIds: string[] = [];
    while (taskIds.length < texts) taskIds.push(await system.orders.ask('fill', { bytes: JOINED_BYTES }));
    const join = { port: system.about.port, taskIds, times, end: JOIN_END };
    await load.orders.ask('join', join);
    const measure = async (): Promise<number> => {
      const [server, redis] = [await system.orders.ask('cpu', null), await redisMicroseconds(bench)];
      const ms = await load.orders.ask('join', join);
      const [serverUs, redisUs] = [(await system.orders.ask('cpu', null)) - server, (await redisMicroseconds(bench)) - redis];
      (processor[who] ??= []).push((serverUs + redisUs) / times / 1000);
      bench.say(`${who}: server ${readable(serverUs / times / 1000)}, Redis ${readable(redisUs / times / 1000)} ms a join`);
      return ms;
    };
    measured.push([who, { measure }]);
  }
  const figures = await alternate(bench, name, bench.rounds(5, 5), Object.fromEntries(measured));
  await endAll(bench, parties);
  const bars = [{ against: 'bareWs', atMost: 1.2 }] as const;
  return [
    { name, unit: 'ms', figures, bars },
    { name, unit: 'ms of server and Redis', figures: processor, bars },
  ];
}

/** What a part that is open costs the heap of its host, beyond what the task and its handler cost without it. */
async function openParts(bench: Bench): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const { name, parts, viewers } of [
    { name: `${PARTS} open parts, nobody watches`, parts: PARTS, viewers: 0 },
    { name: `${WATCHED} open parts, a viewer each`, parts: WATCHED, viewers: WATCHED },
  ]) {
    if (!bench.wants(name)) continue;
    const ours: number[] = [];
    for (let round = 0; round < bench.rounds(3, 1); round += 1) ours.push(await heapOf(bench, parts, viewers));
    bench.say(`${name}: ${ours.map(readable).join(', ')} KiB`);
    rows.push({ name, unit: 'KiB of heap each', figures: { ours }, bars: [{ atMost: 1 }] });
  }
  return rows;
}

/** In KiB. A process of its own each time. */
async function heapOf(bench: Bench, parts: number, viewers: number): Promise<number> {
  const system = await bench.tokens('ours');
  const load = await bench.load();
  const { port, control } = system.about;
  await system.orders.ask('open', { tasks: await system.orders.ask('create', { count: WARMING }) });
  const tasks = await system.orders.ask('create', { count: parts });
  if (viewers > 0) await load.orders.ask('open', { dialect: 'parts', port, control, tasks, viewers });
  const before = await system.orders.ask('memory', null);
  await system.orders.ask('open', { tasks });
  const after = await system.orders.ask('memory', null);
  await endAll(bench, new Map([['ours', { system, load, tasks }]]));
  return (after.heap - before.heap) / parts / 1024;
}

async function assemble(bench: Bench, count: number, viewers: number): Promise<ReadonlyMap<Who, Party>> {
  const parties = new Map<Who, Party>();
  for (const who of bench.who('ours', 'bareWs')) {
    const [system, load] = [await bench.tokens(who), await bench.load()];
    const tasks = await system.orders.ask('create', { count });
    const { port, control } = system.about;
    await system.orders.ask('open', { tasks });
    if (viewers > 0) await load.orders.ask('open', { dialect: 'parts', port, control, tasks, viewers });
    const party = { system, load, tasks };
    parties.set(who, party);
    // Code is slow that has not run for a while.
    if (viewers > 0) await speak(bench, party, PER_SECOND, 'text', viewers / count);
  }
  return parties;
}

async function speak(
  bench: Bench,
  { system, load, tasks }: Party,
  perSecond: number,
  as: 'text' | 'facts',
  viewersEach = 1,
): Promise<Spoken> {
  await load.orders.ask('listen', null);
  const [server, redis] = [await system.orders.ask('cpu', null), await redisMicroseconds(bench)];
  const said = await system.orders.ask('say', { tasks, perSecond, ms: bench.quick ? 2000 : 5000, as });
  const { p50, p99, received, expected, frames } = await load.orders.ask('heard', { expected: said.stamped * viewersEach });
  if (received !== expected) throw new Error(`${received} of ${expected} tokens were shown.`);
  const serverUs = (await system.orders.ask('cpu', null)) - server;
  return { ...said, p50, p99, frames, serverUs, redisUs: (await redisMicroseconds(bench)) - redis };
}

async function endAll(bench: Bench, parties: ReadonlyMap<Who, Party>): Promise<void> {
  for (const { system, load } of parties.values()) {
    await load.end();
    await system.end();
  }
  await bench.redis.client.flushall();
}
