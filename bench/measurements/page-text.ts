import { setTimeout as rest } from 'node:timers/promises';
import type { BrowserPage } from '../processes/browser-page.ts';
import type { OwnProcess } from '../processes/bench-processes.ts';
import type { Row } from '../results/row.ts';
import { alternate, type Bench } from './bench.ts';

/** 200 tokens a second, as models speak: some at once, then a rest. */
const AT_ONCE = 10;
const REST_MS = 50;
const TOKEN = 'word ';
/** What stands already: paragraphs of about 500 characters. */
const PARAGRAPH = `${TOKEN.repeat(100)}\n\n`;
const LONG_BYTES = 256 * 1024;
const FRAME_MS_MAX = 50;

/** Whether a page that shows text as it grows has a task so long that a frame is missed by a person. */
export async function pageText(bench: Bench): Promise<readonly Row[]> {
  const row = (what: string): string => `200 tokens/s into usePart, 4 × throttled, ${what}`;
  const wanted = [
    { name: row('a new text'), shape: 'paragraphs', bytes: 0, bars: [{ atMost: FRAME_MS_MAX }] },
    { name: row('behind 256 KiB, shown by paragraphs'), shape: 'paragraphs', bytes: LONG_BYTES, bars: [{ atMost: FRAME_MS_MAX }] },
    { name: row('behind 256 KiB, shown as one'), shape: 'whole', bytes: LONG_BYTES },
  ].filter(({ name }) => bench.wants(name));
  if (wanted.length === 0) return [];
  const open = await bench.chromium();
  const node = await bench.node();
  const rows: Row[] = [];
  for (const { name, shape, bytes, bars } of wanted) {
    const measure = async (): Promise<number> => {
      const [taskId = ''] = await node.orders.ask('createTasks', { count: 1, kind: 'handled' });
      const shown = await open('answer', node.about.port, taskId, shape);
      await begin(node, shown, taskId, bytes);
      const ms = await shown.longestTaskMs(() => speak(node, taskId, bench.quick ? 1500 : 4000));
      await shown.close();
      return ms;
    };
    const figures = await alternate(bench, name, bench.rounds(5, 2), { ours: { measure } });
    rows.push({ name, unit: 'ms of its longest task', figures, ...(bars && { bars }) });
  }
  await node.end();
  await bench.redis.client.flushall();
  return rows;
}

/** What stands before anything is measured, and a while of speaking, so that all code has run. */
async function begin(node: OwnProcess, shown: BrowserPage, taskId: string, bytes: number): Promise<void> {
  node.orders.tell('write', { taskId, text: PARAGRAPH.repeat(Math.ceil(bytes / PARAGRAPH.length)) });
  await speak(node, taskId, 1000);
  node.orders.tell('write', { taskId, text: '@begun@ ' });
  // Looking for it costs the page more than showing it: nobody looks while it is measured.
  await shown.shows('@begun@');
}

async function speak(node: OwnProcess, taskId: string, ms: number): Promise<void> {
  const begun = performance.now();
  while (performance.now() - begun < ms) {
    node.orders.tell('write', { taskId, text: TOKEN.repeat(AT_ONCE) });
    await rest(REST_MS);
  }
}
