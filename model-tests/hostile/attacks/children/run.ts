import { attackNames, slowAttacks, type AttackName } from '../attacks.ts';
import { startAttackRun, type AttackReport } from '../attack-run.ts';

// `npm run hostile [-- --only "bad frames"] [--idle 10000]`: one attack after the other at full size, with what the others met meanwhile.
const valueOf = (name: string): string | undefined => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
};
const idle = Number(valueOf('idle') ?? 10_000);
const only = valueOf('only');
const MIB = 1024 * 1024;
const SECONDS = 10;
/** What the others may wait at the 99th percentile, and what a host may take. */
const [P99_MS_MAX, RSS_BYTES_MAX] = [250, 512 * MIB];

const amountOf = (name: AttackName): number => {
  if (name === 'idle subscribed sockets' || name === 'mute connections') return idle;
  if (name === 'streams that nobody reads' || name === 'messages in pieces of a byte') return 200;
  if (name === 'subscribes without end') return 5;
  if (name === 'polls that nobody reads') return 500;
  if (name === 'tasks of many values') return 47;
  return slowAttacks.includes(name) ? 1000 : 20;
};
const mib = (bytes: number): string => String(Math.round(bytes / MIB));

function row(name: AttackName, { amount, tallies, calm, under, before, peak, after }: AttackReport): string {
  const { opened, ended, answers } = tallies[name] ?? { opened: 0, ended: 0, answers: {} };
  const said = Object.entries(answers)
    .map(([word, count]) => `${word} × ${count}`)
    .join(', ');
  const faults = under.faults.length === 0 ? '' : ` FAULTS: ${under.faults.slice(0, 5).join('; ')}`;
  const cells = [
    `${name} (${amount})`,
    `${opened} opened, ${ended} ended${said === '' ? '' : `; ${said}`}`,
    `${calm.calls.p50} / ${calm.calls.p99} → ${under.calls.p50} / ${under.calls.p99}`,
    `${calm.health.p50} / ${calm.health.p99} → ${under.health.p50} / ${under.health.p99}`,
    `${calm.facts.p50} / ${calm.facts.p99} → ${under.facts.p50} / ${under.facts.p99}`,
    `${mib(before.rssBytes)} → ${mib(peak.rssBytes)} → ${mib(after.rssBytes)}`,
    `${peak.connections} / ${peak.viewers} → ${after.connections} / ${after.viewers}`,
  ];
  return `| ${cells.join(' | ')} |${faults}`;
}

console.log(
  '| attack (how many) | met | create p50 / p99 ms | health p50 / p99 ms | fact p50 / p99 ms | MiB before → most → after | connections / viewers: most → left |',
);
console.log('|---|---|---|---|---|---|---|');
let isHarmed = false;
for (const name of attackNames.filter((one) => only === undefined || one === only)) {
  // A fresh host each time, so that one attack's memory is not another's.
  const run = await startAttackRun({ headersTimeoutMs: 10_000, requestTimeoutMs: 20_000, subscribeMs: 10_000, drainMs: 10_000 });
  const amount = amountOf(name);
  const isSlow = slowAttacks.includes(name);
  const report = await run.attack([name], {
    amount,
    forMs: (name === 'idle subscribed sockets' ? 3 : 1) * SECONDS * 1000,
    until: (tallies) => {
      const { opened = 0, ended = 0, answers = {} } = tallies[name] ?? {};
      if (name === 'idle subscribed sockets') return (answers['101'] ?? 0) >= amount;
      return isSlow ? ended >= amount : opened >= amount;
    },
    atMostMs: 90_000,
  });
  console.log(row(name, report));
  const { under, before, peak, after } = report;
  const slowest = Math.max(under.calls.p99, under.health.p99, under.facts.p99);
  if (slowest > P99_MS_MAX || peak.rssBytes > RSS_BYTES_MAX) {
    console.error(`Beyond what others may meet: ${slowest} ms (${P99_MS_MAX}), ${mib(peak.rssBytes)} MiB (${mib(RSS_BYTES_MAX)}).`);
    isHarmed = true;
  }
  isHarmed ||= under.faults.length > 0 || after.connections > before.connections || after.viewers > before.viewers || after.isPolluted;
  await run.close();
}
if (isHarmed) console.error('Failed: somebody was not served, or something was left.');
process.exit(isHarmed ? 1 : 0);
