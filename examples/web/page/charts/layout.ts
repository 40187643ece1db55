import * as elk from 'elkjs/lib/elk-api.js';
import type { ELK, ElkExtendedEdge, ElkNode, ElkPoint } from 'elkjs/lib/elk-api.js';
import workerUrl from 'elkjs/lib/elk-worker.min.js?url';
import { startOf, type Outline, type StateBox } from './outline.ts';

/** Where something is drawn. */
export interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Words beside an arrow. */
export interface Label {
  readonly text: string;
  readonly x: number;
  readonly y: number;
}

/** An arrow that has its own way between the boxes. */
export interface Route {
  readonly points: readonly ElkPoint[];
  readonly labels: readonly Label[];
}

/** A chart with a place for everything. Without routes, arrows are drawn straight over the boxes, and only while they matter. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly places: ReadonlyMap<string, Place>;
  readonly routes: ReadonlyMap<string, Route>;
}

/** What there is room for: wide, or upright where there is little. */
type Shape = 'wide' | 'narrow';

const NARROW_BELOW = 720;
/** A chart is drawn whole; where its words would be smaller than this, it is laid out with less in it. */
const SCALE_MIN = 0.72;
/** With more arrows than this, nobody can follow any: the boxes are packed, and only the last transition is shown. */
const ROUTED_ARROWS_MAX = 24;
const NAME_CHARACTER_WIDTH = 7.4;
const LABEL_CHARACTER_WIDTH = 6.1;
const LABEL_HEIGHT = 14;
const BOX_HEIGHT = 32;

let engine: ELK | undefined;

/**
 * Lays a chart out for a frame of this width: with arrows and their words, lying or upright, else with arrows alone, else as boxes, whichever can be read
 * there as a whole. The engine is one worker, started with the first chart.
 */
export async function layOut(chart: Outline, frameWidth: number): Promise<Layout> {
  const shape = frameWidth < NARROW_BELOW ? 'narrow' : 'wide';
  const isRouted = chart.arrows.length <= ROUTED_ARROWS_MAX;
  const ways = [
    [shape, true],
    ['narrow', true],
    [shape, false],
  ] as const;
  for (const [direction, words] of isRouted ? ways : []) {
    const layout = await placed(routed(chart, direction, words));
    if (frameWidth >= layout.width * SCALE_MIN) return layout;
  }
  return placed(packed(chart, shape));
}

async function placed(graph: ElkNode): Promise<Layout> {
  engine ??= new elk.default.default({ workerFactory: () => new Worker(workerUrl) });
  const root = await engine.layout(graph);
  const places = new Map<string, Place>();
  const note = ({ id, x = 0, y = 0, width = 0, height = 0, children = [] }: ElkNode): void => {
    places.set(id, { x, y, width, height });
    children.forEach(note);
  };
  root.children?.forEach(note);
  const routes = new Map((root.edges ?? []).map((edge) => [edge.id, routeOf(edge)] as const));
  return { width: root.width ?? 0, height: root.height ?? 0, places, routes };
}

function routed({ root, arrows }: Outline, shape: Shape, words: boolean): ElkNode {
  const starts = new Set(arrows.map(({ from }) => from));
  return {
    id: '(chart)',
    layoutOptions: {
      'elk.algorithm': 'layered',
      'elk.direction': shape === 'wide' ? 'RIGHT' : 'DOWN',
      'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
      'elk.json.shapeCoords': 'ROOT',
      'elk.json.edgeCoords': 'ROOT',
      'elk.padding': '[top=2,left=2,bottom=2,right=2]',
      'elk.spacing.nodeNode': '16',
      'elk.layered.spacing.nodeNodeBetweenLayers': '28',
      'elk.layered.spacing.edgeNodeBetweenLayers': '14',
      'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
    },
    children: [boxOf(root, (id) => starts.has(startOf(id)), { 'elk.padding': PADDING })],
    edges: arrows.map(({ id, from, to, events }) => ({
      id,
      sources: [from],
      targets: [to],
      labels: (words ? events : [])
        .filter((event) => event !== '')
        .map((text) => ({ text, width: text.length * LABEL_CHARACTER_WIDTH + 8, height: LABEL_HEIGHT })),
    })),
  };
}

function packed({ root }: Outline, shape: Shape): ElkNode {
  const options = {
    'elk.algorithm': 'rectpacking',
    'elk.aspectRatio': shape === 'wide' ? '2.4' : '0.35',
    'elk.spacing.nodeNode': '16',
    'elk.padding': PADDING,
  };
  return {
    id: '(chart)',
    layoutOptions: { ...options, 'elk.padding': '[top=2,left=2,bottom=2,right=2]', 'elk.json.shapeCoords': 'ROOT' },
    children: [boxOf(root, () => false, options)],
  };
}

const PADDING = '[top=34,left=16,bottom=16,right=16]';

function boxOf(box: StateBox, hasStart: (id: string) => boolean, options: Record<string, string>): ElkNode {
  const { id, name, states } = box;
  if (states.length === 0) return { id, width: name.length * NAME_CHARACTER_WIDTH + 26, height: BOX_HEIGHT };
  const start = hasStart(id) ? [{ id: startOf(id), width: 8, height: 8 }] : [];
  // Regions stand side by side in any order: the largest first leaves the fewest holes.
  const ordered = box.kind === 'parallel' ? [...states].sort((a, b) => b.states.length - a.states.length) : states;
  return { id, layoutOptions: options, children: [...start, ...ordered.map((state) => boxOf(state, hasStart, options))] };
}

function routeOf({ sections = [], labels = [] }: ElkExtendedEdge): Route {
  return {
    points: sections.flatMap(({ startPoint, bendPoints = [], endPoint }) => [startPoint, ...bendPoints, endPoint]),
    labels: labels.map(({ text = '', x = 0, y = 0 }) => ({ text, x, y })),
  };
}
