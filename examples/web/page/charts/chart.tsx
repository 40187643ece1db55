import { useEffect, useId, useMemo, useRef, useState, type ReactElement } from 'react';
import type { AnyStateMachine } from 'xstate';
import { ChartDrawing } from './drawing.tsx';
import type { ChartView } from './feed.ts';
import { layOut, type Layout } from './layout.ts';
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
  const width = useFrameWidth(frame);
  const [layout, setLayout] = useState<Layout>();
  const titleId = useId();

  useEffect(() => {
    let isWanted = true;
    if (width) void layOut(chart, width).then((done) => isWanted && setLayout(done));
    return () => {
      isWanted = false;
    };
  }, [chart, width]);

  return (
    <figure className="chart panel" aria-labelledby={titleId}>
      <header>
        <h3 id={titleId}>{title}</h3>
        <p className="quiet">{about}</p>
      </header>
      <div className="chart-frame" ref={frame}>
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

const STEP = 40;

/** How wide a frame is, in steps, so that a window that is drawn wider is not laid out at each pixel. */
function useFrameWidth(frame: React.RefObject<HTMLDivElement | null>): number | undefined {
  const [width, setWidth] = useState<number>();
  useEffect(() => {
    if (!frame.current) return undefined;
    const observer = new ResizeObserver(([entry]) => {
      if (entry) setWidth(Math.max(STEP, Math.floor(entry.contentRect.width / STEP) * STEP));
    });
    observer.observe(frame.current);
    return () => observer.disconnect();
  }, [frame]);
  return width;
}
