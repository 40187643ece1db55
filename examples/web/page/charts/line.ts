import type { Label, Place } from './layout.ts';

/** A path to draw, and its words. */
export interface Line {
  readonly path: string;
  readonly labels: readonly Label[];
}

interface Point {
  readonly x: number;
  readonly y: number;
}

const CORNER = 6;

/** A line through points, its corners rounded. */
export function bent(points: readonly Point[]): string {
  return points
    .map((point, index) => {
      const [before, after] = [points[index - 1], points[index + 1]];
      if (!before) return `M${at(point)}`;
      if (!after) return `L${at(point)}`;
      return `L${at(towards(point, before))} Q${at(point)} ${at(towards(point, after))}`;
    })
    .join(' ');
}

/** A light curve from the border of one box to the border of another; a loop where it is the same, or one lies in the other. */
export function straight(from: Place, to: Place): string {
  const [a, b] = [middle(from), middle(to)];
  if (from === to) return loop(from);
  const [start, end] = [holds(from, to) ? nameIn(from) : border(from, b), holds(to, from) ? nameIn(to) : border(to, a)];
  const [dx, dy] = [end.x - start.x, end.y - start.y];
  // Bows a little to the left of its direction, so that there and back are two lines.
  const bow = { x: (start.x + end.x) / 2 + dy * 0.14, y: (start.y + end.y) / 2 - dx * 0.14 };
  return `M${at(start)} Q${at(bow)} ${at(end)}`;
}

function towards(from: Point, to: Point): Point {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = Math.hypot(dx, dy);
  const part = length === 0 ? 0 : Math.min(CORNER, length / 2) / length;
  return { x: from.x + dx * part, y: from.y + dy * part };
}

function border(box: Place, to: Point): Point {
  const center = middle(box);
  const [dx, dy] = [to.x - center.x, to.y - center.y];
  const part = Math.min(box.width / 2 / Math.max(Math.abs(dx), 0.01), box.height / 2 / Math.max(Math.abs(dy), 0.01));
  return { x: center.x + dx * part, y: center.y + dy * part };
}

function holds(outer: Place, inner: Place): boolean {
  return (
    outer.x <= inner.x &&
    outer.y <= inner.y &&
    outer.x + outer.width >= inner.x + inner.width &&
    outer.y + outer.height >= inner.y + inner.height
  );
}

/** A state that is entered again. */
function loop({ x, y, width }: Place): string {
  const right = x + width - 10;
  return `M${right - 12} ${y} C${right - 12} ${y - 16} ${right + 2} ${y - 16} ${right} ${y}`;
}

/** Where the name of a box stands: what concerns all of it begins and ends there. */
const nameIn = ({ x, y }: Place): Point => ({ x: x + 30, y: y + 26 });
const middle = ({ x, y, width, height }: Place): Point => ({ x: x + width / 2, y: y + height / 2 });
const at = ({ x, y }: Point): string => `${x.toFixed(1)} ${y.toFixed(1)}`;
