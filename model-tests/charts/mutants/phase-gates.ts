import { isDeepStrictEqual } from 'node:util';
import { sharedStreamPhases } from '../../../client/streams/shared-stream.phases.ts';
import { channelPhases } from '../../../client/transports/channel.phases.ts';
import { multiplexedPhases } from '../../../client/transports/multiplexed.phases.ts';
import { viewerPhases } from '../../../server/live/viewer.phases.ts';
import { tryRow, viewerRows } from '../../live/viewer-rows.ts';
import { channelMoves, channelRows } from '../../multiplex/channel-rows.ts';
import { socketFixture, trySocketRow, type SocketRow } from '../../multiplex/socket-fixture.ts';
import { socketMoves, socketRows, socketTags } from '../../multiplex/socket-rows.ts';
import { lateEffects } from '../../multiplex/first-effects.ts';
import { streamFixture, tryStreamRow } from '../../multiplex/stream-fixture.ts';
import { streamMoves, streamRows } from '../../multiplex/stream-rows.ts';
import { cellsOf, nameOf } from '../cell-coverage.ts';
import type { AnyPhaseTable } from '../phase-chart.ts';

type Moves = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** A table of phases, and what it is held against: rows by hand for whatever runs by it, and where it goes, where that is written too. */
export interface PhaseGate {
  readonly table: AnyPhaseTable;
  readonly moves?: Moves;
  /** The tags of its phases, where it has any. */
  readonly tags?: Readonly<Record<string, readonly string[]>>;
  readonly rows: readonly { readonly name: string; readonly run: () => Promise<void> }[];
}

const socketRun = (row: SocketRow) => ({
  name: row.name,
  run: async () => {
    const fixture = socketFixture();
    await row.arrange(fixture);
    await fixture.happened();
    await trySocketRow(row, fixture);
  },
});

/** Every table of phases. */
export const phaseGates: readonly PhaseGate[] = [
  {
    table: viewerPhases,
    rows: viewerRows.map((row) => ({
      name: nameOf(row.phase, row.event),
      run: async () => tryRow(row, await row.arrange()),
    })),
  },
  { table: multiplexedPhases, moves: socketMoves as Moves, tags: socketTags, rows: socketRows.map(socketRun) },
  { table: channelPhases, moves: channelMoves as Moves, rows: channelRows.map(socketRun) },
  {
    table: sharedStreamPhases,
    moves: streamMoves as Moves,
    rows: streamRows.map((row) => ({
      name: row.name,
      run: async () => {
        const fixture = streamFixture();
        await row.arrange(fixture);
        await fixture.happened();
        await tryStreamRow(row, fixture);
      },
    })),
  },
];

/** What is first found wrong with a table; the rows of the cell `near` come first. Undefined where nothing is. */
export async function faultOf({ table, moves, tags = {}, rows }: PhaseGate, near = ''): Promise<string | undefined> {
  const names = new Set(rows.map(({ name }) => name));
  const strange = cellsOf(table).possible.find((name) => !names.has(name)) ?? cellsOf(table).never.find((name) => names.has(name));
  if (strange !== undefined) return `${strange}: a row, and said never to come, or the other way round`;
  if (moves && !isDeepStrictEqual(movesOf(table), moves)) return 'it goes elsewhere';
  const tagged = Object.entries(table.phases).find(([phase, row]) => !isDeepStrictEqual(row.tags ?? [], tags[phase] ?? []));
  if (tagged) return `${tagged[0]} has the tags ${(tagged[1].tags ?? []).join(', ')}`;
  const [late] = lateEffects(table);
  if (late !== undefined) return late;
  for (const { name, run } of [...rows.filter((row) => row.name === near), ...rows.filter((row) => row.name !== near)]) {
    try {
      await run();
    } catch (error) {
      return `${name}: ${String(error)}`;
    }
  }
  return undefined;
}

function movesOf({ phases }: AnyPhaseTable): Moves {
  return Object.fromEntries(
    Object.entries(phases).map(([phase, { on }]) => [
      phase,
      Object.fromEntries(
        Object.entries(on).flatMap(([event, cell]) => (typeof cell === 'object' && cell.to !== undefined ? [[event, cell.to]] : [])),
      ),
    ]),
  );
}
