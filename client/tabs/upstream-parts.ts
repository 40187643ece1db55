import { parseObject } from '../commands/answer.ts';

/** How far a virtual socket is in a part. */
interface PartPlace {
  /** In bytes. */
  readonly offset: number;
  readonly epoch: string;
}
/** By the ids of the facts that opened the parts. */
export type PartPlaces = Map<string, PartPlace>;

/** As many part cursors as a server takes. */
const CURSORS_MAX = 16;

/** Reads the part cursors of a subscription. */
export function readPlaces(text: string): PartPlaces {
  const parts = parseObject(text)?.['parts'];
  const places: PartPlaces = new Map();
  for (const cursor of typeof parts === 'string' ? parts.split(',') : []) {
    const [lane = '', offset = '', epoch = ''] = cursor.split('.');
    places.set(lane, { offset: Number(offset), epoch });
  }
  return places;
}

/** How far one connection has shown the parts of its task, whose text goes to several virtual sockets: each of them leaves out what it has. */
export class UpstreamParts {
  /** Those that are open, by their numbers. */
  readonly #shown = new Map<number, PartPlace & { readonly lane: string }>();

  /** Begins anew where all of these can go on: at the least of their places. Gives it as a server takes it. */
  begin(all: readonly PartPlaces[]): string {
    this.#shown.clear();
    const [first = new Map<string, PartPlace>(), ...others] = all;
    const least = [...first].flatMap(([lane, { offset, epoch }]) => {
      const theirs = others.map((places) => places.get(lane));
      if (theirs.some((place) => place?.epoch !== epoch)) return [];
      return [`${lane}.${Math.min(offset, ...theirs.map((place) => place?.offset ?? 0))}.${epoch}`];
    });
    return least.slice(0, CURSORS_MAX).join();
  }

  /** True where a socket that stands there lacks text that was shown before it came. */
  hasPassed(places: PartPlaces): boolean {
    return [...this.#shown.values()].some(({ lane, offset, epoch }) => {
      const place = places.get(lane);
      return place?.epoch !== epoch || place.offset < offset;
    });
  }

  /** Takes note of a frame that goes to these. */
  take(frame: { readonly [key: string]: unknown }, all: readonly PartPlaces[]): void {
    const { part, to, eventId, epoch } = frame;
    const known = this.#shown.get(part as number);
    const place = { lane: known?.lane ?? '', epoch: known?.epoch ?? '', offset: to as number };
    if (typeof eventId === 'string') place.lane = eventId;
    if (typeof epoch === 'string') place.epoch = epoch;
    this.#shown.set(part as number, place);
    if (place.lane !== '') for (const places of all) places.set(place.lane, place);
  }

  /** A fact has closed a part: whoever comes after it lacks nothing. */
  close(text: string, all: readonly PartPlaces[]): void {
    const payload = parseObject(text)?.['payload'] as { readonly part?: number } | undefined;
    const { part = 0 } = payload ?? {};
    const lane = this.#shown.get(part)?.lane;
    this.#shown.delete(part);
    if (lane !== undefined) for (const places of all) places.delete(lane);
  }

  /** What was shown is of a history that was replaced. */
  clear(): void {
    this.#shown.clear();
  }
}
