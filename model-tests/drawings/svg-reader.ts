/** Something with a place in a picture, in pixels. */
export interface Placed {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}
/** A straight piece of an arrow. */
export interface Piece {
  readonly from: { readonly x: number; readonly y: number };
  readonly to: { readonly x: number; readonly y: number };
}
/** What a picture shows. */
export interface Picture extends Placed {
  /** Those with no other in them. */
  readonly leaves: readonly Placed[];
  readonly boxes: readonly Placed[];
  /** What stands in a box. */
  readonly words: readonly (Placed & { readonly text: string })[];
  /** What stands at an arrow. */
  readonly labels: readonly Placed[];
  readonly ways: readonly (readonly Piece[])[];
}

const NAME_CHARACTER = 9.2;
const LINE_HEIGHT = 10;

/** Reads an SVG of `npm run charts`. */
export function readPicture(svg: string): Picture {
  const boxes = elements(svg, 'rect').filter((one) => one.class?.startsWith('box'));
  const placed = boxes.map(placeOf);
  const words = [...svg.matchAll(/<text ([^>]*)>([^<]*)</g)].map(([, attributes = '', text = '']): Attributes & { text: string } => ({
    ...read(attributes),
    text,
  }));
  return {
    ...placeOf(elements(svg, 'svg')[0] ?? {}),
    boxes: placed,
    leaves: boxes.filter((one) => !one.class?.includes('outer')).map(placeOf),
    words: words.filter((one) => one.class !== 'label').map((one) => ({ ...wordPlace(one), text: one.text })),
    labels: elements(svg, 'rect')
      .filter((one) => one.class === 'under')
      .map(placeOf),
    ways: elements(svg, 'path')
      .filter((one) => one.class === 'way')
      .map(({ d = '' }) => piecesOf(d)),
  };
}

/** True where two share more than an edge. */
export function overlap(a: Placed, b: Placed): boolean {
  return a.x < b.x + b.width - 1 && b.x < a.x + a.width - 1 && a.y < b.y + b.height - 1 && b.y < a.y + a.height - 1;
}

/** True where one lies in the other. */
export function isInside(inner: Placed, outer: Placed): boolean {
  return (
    inner.x >= outer.x &&
    inner.y >= outer.y &&
    inner.x + inner.width <= outer.x + outer.width &&
    inner.y + inner.height <= outer.y + outer.height
  );
}

/** A piece as the strip that it covers. */
export function stripOf({ from, to }: Piece): Placed {
  return {
    x: Math.min(from.x, to.x) - 1,
    y: Math.min(from.y, to.y) - 1,
    width: Math.abs(from.x - to.x) + 2,
    height: Math.abs(from.y - to.y) + 2,
  };
}

/** True where two pieces run along each other, so that nobody can tell them apart. */
export function runTogether(a: Piece, b: Piece): boolean {
  const isLevel = (piece: Piece): boolean => piece.from.y === piece.to.y;
  return isLevel(a) === isLevel(b) && overlap(stripOf(a), stripOf(b));
}

type Attributes = Readonly<Record<string, string | undefined>>;

function elements(svg: string, name: string): Attributes[] {
  return [...svg.matchAll(new RegExp(`<${name} ([^>]*)>`, 'g'))].map(([, attributes = '']) => read(attributes));
}

function read(attributes: string): Attributes {
  return Object.fromEntries([...attributes.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, key = '', value]) => [key, value]));
}

function placeOf({ x = '0', y = '0', width = '0', height = '0' }: Attributes): Placed {
  return { x: Number(x), y: Number(y), width: Number(width), height: Number(height) };
}

function wordPlace({ x, y, textLength, text = '' }: Attributes): Placed {
  const width = textLength === undefined ? text.length * NAME_CHARACTER : Number(textLength);
  return { x: Number(x), y: Number(y) - LINE_HEIGHT, width, height: LINE_HEIGHT };
}

function piecesOf(d: string): Piece[] {
  const points = [...d.matchAll(/[ML](-?\d+) (-?\d+)/g)].map(([, x, y]) => ({ x: Number(x), y: Number(y) }));
  return points.slice(1).map((to, index) => ({ from: points[index] ?? to, to }));
}
