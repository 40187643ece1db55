import { useMemo, type ReactElement } from 'react';
import { useDemo } from '../demo.tsx';
import { Chart } from './chart.tsx';
import { flows, refusedIn } from './flows.ts';
import { useChart } from './use-chart.ts';

/** A chart as what may be wished of it leads through it, where it is now, and what it would refuse there. */
export function Flow({
  of,
  actorId,
  title,
}: {
  readonly of: keyof typeof flows;
  readonly actorId: string;
  readonly title: string;
}): ReactElement {
  const law = useChart(useDemo().charts, actorId);
  // The way that was taken last is one of the law's: a fact came, whoever wished what.
  const view = useMemo(() => law && { ...law, steps: [] }, [law]);
  const refused = view ? [...refusedIn(flows[of], view.active)] : [];
  return (
    <>
      <Chart title={title} about="The same states: where each wish leads, once its facts are there." machine={flows[of]} view={view} />
      {refused.length > 0 && (
        <p className="quiet refused">
          Refused here:{' '}
          {refused.map(([code, intents]) => (
            <span key={code}>
              <code>{code}</code> to {intents.join(', ')}.{' '}
            </span>
          ))}
        </p>
      )}
    </>
  );
}
