import { attacks, type AttackName, type Tally } from '../attacks.ts';

// Attacks until it is killed: `attacker.ts <JSON of the attacks' names> <amount of each> <port> <JSON of tasks>`. Tells its tallies.
const [, , names = '[]', amount = '', port = '', tasks = '{}'] = process.argv;
const tallies: Partial<Record<AttackName, Tally>> = {};
// Its parent takes the names from the table.
for (const name of JSON.parse(names) as AttackName[]) {
  const tally: Tally = { opened: 0, ended: 0, answers: {} };
  tallies[name] = tally;
  attacks[name]({ port: Number(port), amount: Number(amount), tasks: JSON.parse(tasks) as Record<string, string>, tally });
}
setInterval(() => process.send?.(tallies), 100);
process.once('disconnect', () => process.exit(0));
