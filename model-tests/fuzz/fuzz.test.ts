import { expect, it } from 'vitest';
import { patience } from '../support/patience.ts';
import type { RoutePaths } from 'taskbridge/routes';
import { fuzz } from './fuzz-run.ts';

/** The grammar of each route: one without a grammar does not compile. */
const grammars: Readonly<Record<keyof RoutePaths, string>> = {
  create: 'create',
  list: 'list',
  remove: 'remove',
  types: 'types',
  task: 'snapshot',
  attachment: 'attachment',
  part: 'part',
  events: 'poll',
  stream: 'stream',
  sharedStream: 'shared-stream',
  cancel: 'cancel',
  actions: 'action',
  webSocket: 'upgrade',
  openapi: 'openapi',
  health: 'health',
  ready: 'ready',
};
const SECONDS = Number(process.env['SECONDS'] ?? 20);
const SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));

it(
  `every door answers whatever is sent to it, and the host lives (SEED=${SEED})`,
  { timeout: patience((SECONDS + 100) * 1000) },
  async () => {
    const { findings, sent, plain, stats } = await fuzz(SECONDS, SEED);
    expect(findings).toEqual([]);
    // The grammars are those of the doors: each is let in as it stands.
    expect(plain).toEqual({
      create: '201',
      upload: '409',
      action: '404',
      cancel: '404',
      snapshot: '200',
      poll: '200',
      stream: '404',
      'shared-stream': '200',
      list: '200',
      remove: '204',
      attachment: '404',
      part: '404',
      types: '200',
      openapi: '200',
      health: '200',
      ready: '200',
      upgrade: '101',
      frame: 'end',
      'channel-frame': 'end',
    });
    expect(Object.keys(plain)).toEqual(expect.arrayContaining(Object.values(grammars)));
    expect(sent).toBeGreaterThan(50);
    expect(stats.isPolluted).toBe(false);
    expect(stats.viewers).toBe(0);
  },
);
