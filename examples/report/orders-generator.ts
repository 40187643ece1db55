/** Writes the orders that the demo reads by default: `npx tsx examples/report/orders-generator.ts > examples/report/orders.csv`. */

const ROWS = 2000;
const SEED = 20_250_331;

/** A small generator of numbers from 0 to 1: the same ones for the same seed. */
function chanceFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const chance = chanceFrom(SEED);
const below = (limit: number) => Math.floor(chance() * limit);
const pick = <T>(choices: readonly T[]): T => choices[below(choices.length)] as T;

const firstNames = [
  'Ada',
  'Björn',
  'Chiara',
  'Dmitri',
  'Élodie',
  'Femi',
  'Greta',
  'Hana',
  'Ines',
  'João',
  'Kaito',
  'Lena',
  'Mehmet',
  'Noor',
];
const lastNames = [
  'Almeida',
  'Berg',
  'Costa',
  'Dubois',
  'Eriksen',
  'Fischer',
  'Gruber',
  'Haddad',
  'Ito',
  'Jansen',
  'Kowalski',
  'Lindqvist',
  "O'Neill",
];
const countries = ['AT', 'BE', 'CH', 'DE', 'ES', 'FR', 'IT', 'JP', 'NL', 'PL', 'PT', 'SE', 'TR'];
const products = [
  'Teapot, 1.2 l',
  'Desk lamp',
  'Notebook "A5"',
  'Rain jacket',
  'Chess set',
  'Hand blender',
  'Garden shears',
  'Wool blanket',
];
const notes = [
  '',
  '',
  '',
  '',
  '',
  '',
  '',
  'gift wrap',
  'call before delivery',
  'leave at the door,\nsecond floor',
  'invoice to "Accounts"',
];

type Order = [id: string, day: string, customer: string, country: string, product: string, items: string, amount: string, note: string];

function order(index: number): Order {
  const day = new Date(Date.UTC(2025, 0, 1 + Math.floor((index / ROWS) * 180))).toISOString().slice(0, 10);
  const items = 1 + below(5);
  const amount = (items * (900 + below(9000))) / 100;
  const customer = `${pick(lastNames)}, ${pick(firstNames)}`;
  return [`ORD-${100_001 + index}`, day, customer, pick(countries), pick(products), String(items), amount.toFixed(2), pick(notes)];
}

/** The kinds of dirt that a file like this collects over the years. */
const spoil: readonly ((cells: Order) => readonly string[])[] = [
  (cells) => cells.slice(0, 6),
  (cells) => [...cells, 'export 2019'],
  (cells) => cells.with(2, ''),
  (cells) => cells.with(0, ' '),
  (cells) => cells.with(6, `${cells[6].replace('.', ',')} EUR`),
  (cells) => cells.with(6, 'n/a'),
  (cells) => cells.with(5, 'two'),
  (cells) => cells.with(1, `${cells[1].slice(0, 5)}02-30`),
  (cells) => cells.with(1, cells[1].split('-').reverse().join('.')),
];

const quote = (cell: string) => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
const lines = [['order_id', 'ordered_on', 'customer', 'country', 'product', 'items', 'amount', 'note']];
const recent: Order[] = [];
for (let index = 0; index < ROWS; index += 1) {
  const cells = order(index);
  recent.push(cells);
  lines.push([...(chance() < 0.025 ? pick(spoil)(cells) : cells)]);
  if (chance() >= 0.02) continue;
  // The same order once more, some lines later in the file than it was: exported twice, or corrected.
  const again = [...pick(recent.slice(-40))] as Order;
  if (chance() < 0.6) again[6] = (Number(again[6]) + 5).toFixed(2);
  lines.push(again);
}
process.stdout.write(lines.map((cells) => `${cells.map(quote).join(',')}\n`).join(''));
