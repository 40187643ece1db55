import * as elk from 'elkjs/lib/elk.bundled.js';
import type { ElkExtendedEdge, ElkNode } from 'elkjs/lib/elk-api.js';
import type { Arrow, Box, Drawing } from './drawing.ts';

/** Where something is drawn, in pixels. */
export interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}
/** Words at their place. */
export interface PlacedLines extends Place {
  readonly lines: readonly string[];
}
/** An arrow on its way between the boxes. */
export interface Route {
  readonly points: readonly { readonly x: number; readonly y: number }[];
  readonly label?: PlacedLines;
}
/** A drawing with a place for everything. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  /** By the ids of the boxes; that of a beginning is its box's, with ` (start)` behind it. */
  readonly places: ReadonlyMap<string, Place>;
  readonly routes: readonly Route[];
}

/** Where the arrows of a drawing lead. */
export type Direction = 'DOWN' | 'RIGHT';

/** A character of a title and of a line is so wide, and a line so high: drawn text is stretched to it, whatever font there is. */
export const metrics = { title: 9.2, line: 6.1, lineHeight: 13, titleHeight: 22, inset: 10 } as const;
const LINE_CHARACTERS_MAX = 36;
const PORT_WIDTH = 13;

/** Lays a drawing out, what is declared first before what comes later. The same drawing gets the same places everywhere. */
export async function layOut(drawing: Drawing, direction: Direction): Promise<Layout> {
  const widened = new Map<string, number>();
  let layout = await laidOut(drawing, direction, widened);
  // The engine makes a box as wide as what is in it, whatever its own words want.
  for (const box of boxesOf(drawing.root)) {
    const missing = widthOf(box) - (layout.places.get(box.id)?.width ?? Infinity);
    if (missing > 0) widened.set(box.id, Math.ceil(missing));
  }
  if (widened.size > 0) layout = await laidOut(drawing, direction, widened);
  return layout;
}

async function laidOut({ root, arrows }: Drawing, direction: Direction, widened: ReadonlyMap<string, number>): Promise<Layout> {
  const engine = new elk.default.default();
  const order = boxesOf(root).map(({ id }) => id);
  const leadsOn = ({ from, to }: Arrow): boolean => order.indexOf(from) < order.indexOf(to);
  const starts = startsOf({ ...root, states: [root] });
  const frame = nodeOf(root, { inherited: options(direction), widened, ports: portsOf(arrows), isAcross: direction === 'RIGHT' });
  const graph: ElkNode = {
    id: '(drawing)',
    // Within a state the engine fails at it.
    layoutOptions: { ...options(direction), 'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES' },
    children: (isFramed(root) ? { children: [frame] } : frame).children ?? [],
    edges: [
      ...arrows.map((arrow, index) => edgeOf(arrow, index, leadsOn(arrow))),
      ...starts.map(({ from, to }, index) => ({ id: `start ${index}`, sources: [from], targets: [to] })),
    ],
  };
  const { width = 0, height = 0, children = [], edges = [] } = await engine.layout(graph);
  const places = new Map<string, Place>();
  const note = (node: ElkNode): void => {
    places.set(node.id, placeOf(node));
    node.children?.forEach(note);
  };
  children.forEach(note);
  return { width: Math.ceil(width), height: Math.ceil(height), places, routes: edges.map(routeOf) };
}

/** True for a chart in which something happens wherever it is: then it is drawn as a box itself. */
export function isFramed(root: Box): boolean {
  return root.lines.length > 0;
}

/** A line that is too long goes on below, after its guard or between its actions. */
export function wrapped(line: string): string[] {
  const broken: string[] = [];
  let rest = line;
  while (rest.length > LINE_CHARACTERS_MAX) {
    const at = [...rest.matchAll(/ (?=\[|\/ )|(?<=,) | (?=and )/g)].map(({ index }) => index).filter((index) => index > 4);
    const last = at.findLast((index) => index <= LINE_CHARACTERS_MAX) ?? at[0];
    if (last === undefined) break;
    broken.push(rest.slice(0, last));
    rest = `  ${rest.slice(last + 1)}`;
  }
  return [...broken, rest];
}

/** What stands below the title of a box. */
export function textOf({ lines, tags }: Box): string[] {
  return [...(tags.length > 0 ? [`‹${tags.join(', ')}›`] : []), ...lines.flatMap(wrapped)];
}

function options(direction: Direction): Record<string, string> {
  return {
    'elk.algorithm': 'layered',
    'elk.direction': direction,
    'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
    'elk.json.shapeCoords': 'ROOT',
    'elk.json.edgeCoords': 'ROOT',
    'elk.padding': '[top=12,left=12,bottom=12,right=12]',
    'elk.edgeRouting': 'ORTHOGONAL',
    'elk.spacing.nodeNode': '24',
    'elk.spacing.edgeNode': '14',
    'elk.spacing.edgeEdge': '14',
    'elk.spacing.edgeLabel': '4',
    'elk.layered.spacing.nodeNodeBetweenLayers': '26',
    'elk.layered.spacing.edgeNodeBetweenLayers': '16',
    'elk.layered.spacing.edgeEdgeBetweenLayers': '14',
    'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
    'elk.layered.thoroughness': '40',

    'elk.randomSeed': '1',
  };
}

interface Sizes {
  readonly inherited: Readonly<Record<string, string>>;
  readonly widened: ReadonlyMap<string, number>;
  /** How many arrows begin or end at a side of a box. */
  readonly ports: (id: string) => number;
  readonly isAcross: boolean;
}

function nodeOf(box: Box, sizes: Sizes): ElkNode {
  const { inherited, widened, ports, isAcross } = sizes;
  const height = metrics.titleHeight + textOf(box).length * metrics.lineHeight;
  if (box.kind === 'any') return { id: box.id, width: 40, height: 20 };
  // Heads that stand side by side are told apart.
  const side = ports(box.id) * PORT_WIDTH;
  if (box.states.length === 0)
    return { id: box.id, width: Math.max(widthOf(box), isAcross ? 0 : side), height: Math.max(height + 10, isAcross ? side : 0) };
  const start = box.initial === undefined ? [] : [{ id: startOf(box.id), width: 9, height: 9 }];
  const right = 14 + (widened.get(box.id) ?? 0);
  return {
    id: box.id,
    layoutOptions: { ...inherited, 'elk.padding': `[top=${height + 14},left=14,bottom=14,right=${right}]` },
    children: [...start, ...box.states.map((state) => nodeOf(state, sizes))],
  };
}

function portsOf(arrows: readonly Arrow[]): (id: string) => number {
  return (id) => Math.max(arrows.filter(({ from }) => from === id).length, arrows.filter(({ to }) => to === id).length);
}

function widthOf(box: Box): number {
  const widest = Math.max(0, ...textOf(box).map((line) => line.length));
  return Math.max(box.name.length * metrics.title, widest * metrics.line) + 2 * metrics.inset;
}

function edgeOf({ from, to, lines }: Arrow, index: number, isForward: boolean): ElkExtendedEdge {
  const text = lines.flatMap(wrapped);
  const width = Math.max(0, ...text.map((line) => line.length)) * metrics.line + 8;
  return {
    id: `arrow ${index}`,
    sources: [from],
    targets: [to],
    ...(isForward && { layoutOptions: { 'elk.layered.priority.direction': '10' } }),
    labels: text.length === 0 ? [] : [{ text: text.join('\n'), width, height: text.length * metrics.lineHeight + 4 }],
  };
}

function boxesOf(box: Box): Box[] {
  return [box, ...box.states.flatMap(boxesOf)];
}

/** The id of the mark where a state begins. */
export function startOf(id: string): string {
  return `${id} (start)`;
}

function startsOf(box: Box): { from: string; to: string }[] {
  const inner = box.states.flatMap((state) => (state.initial === undefined ? [] : [{ from: startOf(state.id), to: state.initial }]));
  return [...inner, ...box.states.flatMap(startsOf)];
}

function routeOf({ sections = [], labels = [] }: ElkExtendedEdge): Route {
  const points = sections.flatMap(({ startPoint, bendPoints = [], endPoint }) => [startPoint, ...bendPoints, endPoint]);
  const [label] = labels;
  return {
    points: points.map(({ x, y }) => ({ x: Math.round(x), y: Math.round(y) })),
    ...(label && { label: { ...placeOf(label), lines: (label.text ?? '').split('\n') } }),
  };
}

function placeOf({ x = 0, y = 0, width = 0, height = 0 }: Partial<Place>): Place {
  return { x: Math.round(x), y: Math.round(y), width: Math.round(width), height: Math.round(height) };
}
