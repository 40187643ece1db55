import { runRollingRestart } from '../rolling-restart.ts';

// `npm run deploys -- [--viewers 500] [--tasks 200] [--pace 1000] [--spread 5000]`: fails where something was lost, somebody stays on a lower
// transport, or the sockets of a second are more than twice the even spread.
const numberOf = (name: string, usual: number): number => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? usual : Number(process.argv[at + 1]);
};
const viewers = numberOf('viewers', 500);
const tasks = numberOf('tasks', 200);
const paceMs = numberOf('pace', 1000);
const spreadMs = numberOf('spread', 5000);
if (![viewers, tasks, paceMs, spreadMs].every((one) => Number.isSafeInteger(one) && one > 0)) {
  console.error('Usage: npm run deploys -- [--viewers 500] [--tasks 200] [--pace <milliseconds, 1000>] [--spread <milliseconds, 5000>]');
  process.exit(2);
}
const { wrong, failed, restarts, transports } = await runRollingRestart({
  viewers,
  tasks,
  paceMs,
  spreadMs,
  say: (line) => console.log(line),
});
for (const line of [...wrong, ...failed].slice(0, 40)) console.log(line);
let bursts = 0;
for (const { sentAway, socketsASecond } of restarts) {
  const even = sentAway / (spreadMs / 1000);
  const most = Math.max(...socketsASecond);
  if (most > 2 * even) bursts += 1;
  console.log(
    `${sentAway} sockets came anew: ${even.toFixed(0)} a second if spread evenly, ${most} in the busiest (${(most / even).toFixed(2)} ×, at most 2)`,
  );
}
const { ws = 0, ...lower } = transports;
const low = Object.values(lower).reduce((total, one) => total + one, 0);
console.log(
  `${wrong.length} viewers misled, ${failed.length} tasks failed, ${low} of ${ws + low} viewers on a lower transport, ${bursts} bursts`,
);
process.exit(wrong.length + failed.length + low + bursts > 0 ? 1 : 0);
