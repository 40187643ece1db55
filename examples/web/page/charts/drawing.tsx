import { useId, type ReactElement } from 'react';
import { bent, straight, type Line } from './line.ts';
import type { ChartView } from './feed.ts';
import type { Layout } from './layout.ts';
import { arrowId, type Arrow, type Outline, type StateBox } from './outline.ts';

/** What is drawn, and where. */
export interface DrawingProps {
  readonly chart: Outline;
  readonly layout: Layout;
  readonly view: ChartView | undefined;
}

/** Boxes in boxes, the active ones lit, and the way that was taken last. */
export function ChartDrawing({ chart, layout, view }: DrawingProps): ReactElement {
  const head = useId();
  const taken = new Set(view?.steps);
  const isRouted = layout.routes.size > 0;
  const arrows = isRouted ? chart.arrows : chart.arrows.filter(({ id }) => taken.has(id));
  // What was taken is drawn last, over the others.
  const sorted = [...arrows].sort((a, b) => Number(taken.has(a.id)) - Number(taken.has(b.id)));
  return (
    <svg
      className={`chart-drawing ${isRouted ? 'routed' : 'packed'}`}
      viewBox={`0 0 ${layout.width} ${layout.height}`}
      style={{ width: layout.width, aspectRatio: `${layout.width} / ${layout.height}` }}
      aria-hidden="true"
    >
      {['still', 'taken'].map((kind) => (
        <marker
          key={kind}
          id={`${head}${kind}`}
          className={`head ${kind}`}
          viewBox="0 0 8 8"
          refX="7"
          refY="4"
          markerWidth="8"
          markerHeight="8"
          markerUnits="userSpaceOnUse"
          orient="auto-start-reverse"
        >
          <path d="M0.5 0.5 L7.5 4 L0.5 7.5 Z" />
        </marker>
      ))}
      <Box box={chart.root} layout={layout} active={view?.active} depth={0} />
      {sorted.map((arrow) => (
        <Way
          key={taken.has(arrow.id) ? `${arrow.id} ${view?.count}` : arrow.id}
          arrow={arrow}
          line={lineOf(arrow, layout)}
          isTaken={taken.has(arrow.id)}
          head={`${head}${taken.has(arrow.id) ? 'taken' : 'still'}`}
        />
      ))}
    </svg>
  );
}

function Box({
  box,
  layout,
  active,
  depth,
}: {
  readonly box: StateBox;
  readonly layout: Layout;
  readonly active: ReadonlySet<string> | undefined;
  readonly depth: number;
}): ReactElement | null {
  const place = layout.places.get(box.id);
  if (!place) return null;
  const start = layout.places.get(`${box.id} (start)`);
  const isLeaf = box.states.length === 0;
  const { x, y, width, height } = place;
  return (
    <g className={`box ${box.kind} ${active?.has(box.id) ? 'active' : ''}`} data-state={box.id} data-depth={depth % 3}>
      <title>{box.description}</title>
      <rect x={x} y={y} width={width} height={height} rx={isLeaf ? 7 : 10} />
      {box.kind === 'final' && <rect className="inner" x={x + 3} y={y + 3} width={width - 6} height={height - 6} rx={5} />}
      <text
        x={isLeaf ? x + width / 2 : x + 14}
        y={isLeaf ? y + height / 2 : y + 19}
        textAnchor={isLeaf ? 'middle' : 'start'}
        dominantBaseline={isLeaf ? 'central' : undefined}
      >
        {box.name}
      </text>
      {start && <circle className="start" cx={start.x + 4} cy={start.y + 4} r={4} />}
      {box.states.map((state) => (
        <Box key={state.id} box={state} layout={layout} active={active} depth={depth + 1} />
      ))}
    </g>
  );
}

function Way({
  arrow,
  line,
  isTaken,
  head,
}: {
  readonly arrow: Arrow;
  readonly line: Line | undefined;
  readonly isTaken: boolean;
  readonly head: string;
}): ReactElement | null {
  if (!line) return null;
  return (
    <g className={isTaken ? 'way taken' : 'way'} data-arrow={arrowId(arrow.from, arrow.to)}>
      <path d={line.path} markerEnd={`url(#${head})`} pathLength={1} />
      {line.labels.map(({ text, x, y }) => (
        <text key={text} x={x + 4} y={y + 10}>
          {text}
        </text>
      ))}
    </g>
  );
}

function lineOf(arrow: Arrow, { routes, places }: Layout): Line | undefined {
  const route = routes.get(arrow.id);
  if (route) return { path: bent(route.points), labels: route.labels };
  const [from, to] = [places.get(arrow.from), places.get(arrow.to)];
  return from && to && { path: straight(from, to), labels: [] };
}
