import { useEffect, useId, useMemo, useRef, useState, type ReactElement } from 'react';
import type { AnyStateMachine } from 'xstate';
import { ChartDrawing } from './drawing.tsx';
import type { ChartView } from './feed.ts';
import { layOut, type Layout, type Shape } from './layout.ts';
import { outline } from './outline.ts';

/** What a chart is drawn from. */
export interface ChartProps {
  readonly title: string;
  /** A sentence about what the chart is for. */
  readonly about: string;
  readonly machine: AnyStateMachine;
  /** Undefined: it does not run. */
  readonly view: ChartView | undefined;
}

/** A running machine, drawn. The caption says the same in words. */
export function Chart({ title, about, machine, view }: ChartProps): ReactElement {
  const chart = useMemo(() => outline(machine), [machine]);
  const frame = useRef<HTMLDivElement>(null);
  const shape = useShape(frame);
  const [layout, setLayout] = useState<Layout>();
  const titleId = useId();
  useInSight(frame, layout && view);

  useEffect(() => {
    let isWanted = true;
    if (shape) void layOut(chart, shape).then((done) => isWanted && setLayout(done));
    return () => {
      isWanted = false;
    };
  }, [chart, shape]);

  return (
    <figure className="chart panel" aria-labelledby={titleId}>
      <header>
        <h3 id={titleId}>{title}</h3>
        <p className="quiet">{about}</p>
      </header>
      <div className="chart-frame" ref={frame} tabIndex={0} role="group" aria-label={`${title}, drawn`}>
        {layout ? <ChartDrawing chart={chart} layout={layout} view={view} /> : <p className="quiet chart-waiting">Drawing the chart …</p>}
      </div>
      <figcaption>{view ? <Words chartId={chart.root.id} view={view} /> : <span className="quiet">Not running.</span>}</figcaption>
    </figure>
  );
}

function Words({ chartId, view }: { readonly chartId: string; readonly view: ChartView }): ReactElement {
  const active = [...view.active];
  const leaves = active.filter((id) => !active.some((other) => other.startsWith(`${id}.`)));
  const nameOf = (id: string): string => id.replace(`${chartId}.`, '').replace(/^(active|observing)\./, '');
  return (
    <>
      <span className="chart-state">{leaves.map(nameOf).join(' · ')}</span>
      <span className="quiet">
        last: <code>{view.event}</code>
        {view.steps.length > 0 &&
          `, ${view.steps
            .map(nameOf)
            .map((step) => step.replace(/\w+\./g, ''))
            .join(', ')}`}
      </span>
    </>
  );
}

/** Where the drawing is wider than its frame, what is active is scrolled into sight. */
function useInSight(frame: React.RefObject<HTMLDivElement | null>, view: ChartView | undefined): void {
  useEffect(() => {
    const box = frame.current;
    const lit = box?.querySelector('.box.active.atomic > rect, .box.active.final > rect');
    if (!box || !lit || box.scrollWidth <= box.clientWidth) return;
    const { left, right } = lit.getBoundingClientRect();
    const { left: from, right: to } = box.getBoundingClientRect();
    if (left < from || right > to) box.scrollBy({ left: (left + right - from - to) / 2 });
  }, [frame, view]);
}

const NARROW_BELOW = 720;

/** Charts stand upright where there is little room. */
function useShape(frame: React.RefObject<HTMLDivElement | null>): Shape | undefined {
  const [shape, setShape] = useState<Shape>();
  useEffect(() => {
    if (!frame.current) return undefined;
    const observer = new ResizeObserver(([entry]) => {
      if (entry) setShape(entry.contentRect.width < NARROW_BELOW ? 'narrow' : 'wide');
    });
    observer.observe(frame.current);
    return () => observer.disconnect();
  }, [frame]);
  return shape;
}
