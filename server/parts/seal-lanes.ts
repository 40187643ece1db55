import { limits } from '../../machines/wire/index.ts';
import type { Fence, Lanes } from '../ports/lanes.ts';
import { laneValue } from './lane-value.ts';
import { fenceOf, sealedKey, type OpenPartLane, type SealedLane, type SealedLanes } from './lane-record.ts';

/**
 * Thrown by a unit of work that would close parts, or let them go on, whose lanes are not sealed yet: how long they are is not certain before. It is for the
 * mailbox, which seals them and decides again.
 */
export class LanesToSeal extends Error {
  override readonly name = 'LanesToSeal';
  readonly lanes: readonly OpenPartLane[];

  constructor(lanes: readonly OpenPartLane[]) {
    super('The lanes of parts are to be sealed first.');
    this.lanes = lanes;
  }
}

/**
 * Ends the writing to lanes before a commit closes them, or lets them go on, and reads what their closing facts say of them. A crash behind it leaves lanes
 * sealed whose parts are open: their writer lets them go on, or the next commit that closes parts closes them.
 */
export class LaneSeals {
  readonly #deps: { readonly lanes: Lanes; readonly taskId: string };
  readonly #known = new Map<string, SealedLane>();

  constructor(deps: { readonly lanes: Lanes; readonly taskId: string }) {
    this.#deps = deps;
  }

  /** What is known of them. */
  get known(): SealedLanes {
    return this.#known;
  }

  /** Seals some. False where one is not open under its fence any more, or is not as long as it was: what is recorded of the task is old. */
  async seal(open: readonly OpenPartLane[]): Promise<boolean> {
    const { lanes, taskId } = this.#deps;
    for (const lane of open) {
      const found = await sealLane(lanes, fenceOf(taskId, lane), lane.closeAs === 'message');
      if (!found) return false;
      this.#known.set(sealedKey(lane), found);
    }
    return true;
  }
}

async function sealLane(lanes: Lanes, fence: Fence, wantsWhole: boolean): Promise<SealedLane | undefined> {
  const bytes = await lanes.seal(fence);
  if (bytes === 'fenced') return undefined;
  if (fence.latest) return sealedValue(lanes, fence, bytes);
  if (bytes > limits.partTextBytesMax && !wantsWhole) return { bytes };
  const whole = await laneBytes(lanes, fence, bytes);
  if (!whole) return undefined;
  const text = asText(whole);
  return { bytes, ...(text !== undefined && { text }) };
}

/** A value that nobody replaces any more: read whole, however long. */
async function sealedValue(lanes: Lanes, { taskId, lane }: Fence, version: number): Promise<SealedLane | undefined> {
  const value = await laneValue(lanes, taskId, lane);
  return value?.version === version ? { bytes: version, text: value.text, latest: true } : undefined;
}

/** Reads so many bytes of a lane from its start; undefined where there are not as many. */
export async function laneBytes(
  lanes: Lanes,
  { taskId, lane }: Pick<Fence, 'taskId' | 'lane'>,
  bytes: number,
): Promise<Buffer | undefined> {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes;) {
    const page = await lanes.readPart(taskId, lane, at, bytes - at);
    if (!page || page.bytes.byteLength === 0) return undefined;
    pieces.push(page.bytes);
    at += page.bytes.byteLength;
  }
  return Buffer.concat(pieces);
}

/** The text that bytes are; undefined where they are none, which only a store that lost some of them may bring about. */
function asText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
