import { memoryCheckpoints, type TaskBridgeClientOptions, type TransportName } from 'taskbridge/client';
import { nodeSockets } from 'taskbridge/client/node';
import { partOf } from 'taskbridge/client/parts';
import { sharedStreams } from 'taskbridge/client/streams';
import { describe, expect, test } from 'vitest';
import { turns } from '../support/eventually.ts';
import { patience } from '../support/patience.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { answerOf, partHost } from './part-host.ts';

const CUTS = 200;
/** So many cuts between two times that the page is loaded again. */
const RELOAD_EVERY = 25;
const ways: readonly (readonly [string, readonly TransportName[], Partial<TaskBridgeClientOptions>])[] = [
  ['a WebSocket that tasks share', ['ws'], {}],
  ['a WebSocket of its own', ['ws'], { sockets: nodeSockets() }],
  ['an event stream of its own', ['sse'], {}],
  ['an event stream that tasks share', ['sse'], { streams: sharedStreams() }],
  ['long polls', ['poll'], {}],
  ['all three, falling and climbing', ['ws', 'sse', 'poll'], {}],
];

describe.each(ways)('an answer of 100 KB over %s', (_, transports, options) => {
  test(
    `that is cut ${CUTS} times, on a page that is loaded again now and then, ends with the very text, in pieces that were given once`,
    { timeout: patience(120_000) },
    async () => {
      const random = seededRandom(`parts over ${transports.join()}`);
      const whole = answerOf(random, 100_000);
      const host = await partHost();
      const task = await host.start();
      const checkpoints = memoryCheckpoints();
      const used = new Set<TransportName>();
      const wrong: string[] = [];
      let losses = 0;
      /** A page that shows the answer: what its reader was given is a beginning of it at each moment. */
      const open = () => {
        const client = host.client({
          transports,
          checkpoints,
          ...options,
          ...(transports.length > 1 && { webSocketTries: 1, eventStreamTries: 1 }),
          limits: { climbIntervalMs: 5, provingMs: 1, silentMs: 20_000, muteMs: 30_000 },
          onReport: (report) => {
            losses += report.type === 'lost' ? 1 : 0;
          },
        });
        const observation = client.observe(task.taskId);
        observation.subscribe(({ connection }) => connection.state === 'live' && used.add(connection.transport));
        const part = partOf(observation, 'answer');
        const page = { client, part, read: '', resets: 0, reading: Promise.resolve() };
        page.reading = (async () => {
          for await (const { text, reset } of part) {
            page.resets += reset ? 1 : 0;
            page.read += text;
            if (!whole.startsWith(page.read) && wrong.length === 0) wrong.push(page.read);
          }
        })();
        page.reading.catch(() => undefined);
        return page;
      };
      let page = open();
      await task.order({ open: 'answer' });
      let written = 0;
      for (let cuts = 1; losses < CUTS || written < whole.length; cuts += 1) {
        const until = Math.min(whole.length, Math.ceil((whole.length * (losses + 1)) / CUTS));
        if (until > written) await task.order({ write: whole.slice(written, until) });
        written = Math.max(until, written);
        await turns(random.below(40));
        host.down.ws = transports.length > 1 && random.odds(0.4);
        host.down.sse = transports.length > 1 && random.odds(0.5);
        host.cut();
        await turns(random.below(10));
        if (cuts % RELOAD_EVERY !== 0) continue;
        // A page that is loaded again has what its checkpoint has.
        await page.client.close();
        expect(page.resets).toBe(0);
        page = open();
      }
      Object.assign(host.down, { ws: false, sse: false });
      await task.order({ end: true });
      await task.order({ finish: true });
      await page.reading;
      expect(wrong).toEqual([]);
      expect(page.read === whole).toBe(true);
      expect(page.resets).toBe(0);
      expect(page.part.text === whole).toBe(true);
      expect(page.part.getSnapshot()).toMatchObject({ open: false, outcome: 'DONE', truncated: false, restarts: 0 });
      expect([...used].sort()).toEqual([...transports].sort());
      expect(losses).toBeGreaterThanOrEqual(CUTS);
    },
  );
});
