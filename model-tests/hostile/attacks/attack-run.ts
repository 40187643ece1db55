import { buildProgram } from '../../support/built-program.ts';
import { forkProgram, heard, startProcess } from '../../support/child-process.ts';
import { WAIT_MS } from '../../support/patience.ts';
import type { AttackName, Tally } from './attacks.ts';
import { startWellBehavedClient, type WellBehavedClient, type ClientExperience } from './well-behaved-client.ts';
import { startHostProcess, type HostProcess, type HostStats, type HostTimes } from './host-process.ts';

/** What came of one attack. */
export interface AttackReport {
  readonly amount: number;
  readonly tallies: Readonly<Partial<Record<AttackName, Tally>>>;
  /** What the well-behaved client met before and meanwhile. */
  readonly calm: ClientExperience;
  readonly under: ClientExperience;
  readonly before: HostStats;
  /** The most that was seen of each. */
  readonly peak: HostStats;
  /** When the attackers were gone, garbage collected. */
  readonly after: HostStats;
}

/** A host, its client, and whoever attacks it. */
export interface AttackRun {
  readonly host: HostProcess;
  readonly client: WellBehavedClient;
  /** Attacks in so many ways at once, each with that amount, for so long; with `until` longer, until it says so, at most for `atMostMs`. */
  attack(
    names: readonly AttackName[],
    how: {
      readonly amount: number;
      readonly forMs: number;
      readonly until?: (tallies: AttackReport['tallies']) => boolean;
      readonly atMostMs?: number;
    },
  ): Promise<AttackReport>;
  close(): Promise<void>;
}

/** Timers that come and go with the client. */
const TIMERS_MORE = 10;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Starts host and client. */
export async function startAttackRun(times: HostTimes): Promise<AttackRun> {
  const program = await buildProgram(new URL('children/attacker.ts', import.meta.url));
  const host = await startHostProcess(times);
  const tasks = await tasksOfOwners(host.url);
  const client = await startWellBehavedClient(host.url);

  return {
    host,
    client,
    async attack(names, { amount, forMs, until = () => true, atMostMs = forMs }) {
      client.take();
      await pause(Math.min(2000, forMs));
      const calm = client.take();
      const before = await host.stats('collect');
      let tallies: AttackReport['tallies'] = {};
      const start = () =>
        forkProgram(program.file, [JSON.stringify(names), amount, host.port, JSON.stringify(tasks)]).on(
          'message',
          (message) => (tallies = message as typeof tallies),
        );
      const attacker = await startProcess('The attacker', start, (child) => heard(child));
      client.take();
      let peak = await host.stats();
      const begunAt = performance.now();
      const past = (ms: number) => performance.now() - begunAt >= ms;
      while (!past(forMs) || !(until(tallies) || past(atMostMs))) {
        await pause(100);
        peak = highest(peak, await host.stats());
      }
      const under = client.take();
      await attacker.kill();
      const after = await settled(host, before);
      return { amount, tallies, calm, under, before, peak, after };
    },
    async close() {
      await client.close();
      await host.stop();
      await program.remove();
    },
  };
}

/** How the host stands when connections, viewers and timers are those of before; at the latest when nothing is to be waited for any more. */
async function settled(host: HostProcess, before: HostStats): Promise<HostStats> {
  const begunAt = performance.now();
  for (;;) {
    const now = await host.stats('collect');
    const isSettled = now.connections <= before.connections && now.viewers <= before.viewers && now.timers <= before.timers + TIMERS_MORE;
    if (isSettled || performance.now() - begunAt > WAIT_MS) return now;
    await pause(100);
  }
}

function highest(a: HostStats, b: HostStats): HostStats {
  return {
    connections: Math.max(a.connections, b.connections),
    timers: Math.max(a.timers, b.timers),
    viewers: Math.max(a.viewers, b.viewers),
    rssBytes: Math.max(a.rssBytes, b.rssBytes),
    isPolluted: a.isPolluted || b.isPolluted,
  };
}

/** A quiet task for each of a hundred owners, one that says much, one of a large result, and one of a long log. */
async function tasksOfOwners(url: string): Promise<Record<string, string>> {
  const begin = async (owner: string, taskType: string, input = {}) => {
    const response = await fetch(`${url}/api/v1/tasks`, {
      method: 'POST',
      headers: { authorization: `Bearer ${owner}`, 'content-type': 'application/json' },
      body: JSON.stringify({ clientRequestId: 'mine', taskType, input }),
    });
    return [owner, ((await response.json()) as { taskId: string }).taskId] as const;
  };
  const tasks = [
    await begin('chatty', 'chat'),
    await begin('rich', 'echo', { text: 'x'.repeat(1_000_000) }),
    await begin('wordy', 'essay'),
  ];
  // Ten at a time: a host that has just begun is slow, and ends what is slow.
  for (let tens = 0; tens < 10; tens += 1)
    tasks.push(...(await Promise.all(Array.from({ length: 10 }, (_owner, nth) => begin(`owner-${10 * tens + nth}`, 'wait')))));
  return Object.fromEntries(tasks);
}
