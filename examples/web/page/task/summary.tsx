import { useState, type ReactElement } from 'react';
import type { Report } from '../../../report/job/index.ts';
import { useDemo } from '../demo.tsx';
import { countOf, sizeOf } from '../numbers.ts';
import { save } from './save.ts';

const kinds: Readonly<Record<keyof Report['findings'], string>> = {
  WRONG_CELL_COUNT: 'wrong number of cells',
  EMPTY_CELL: 'empty cell',
  BAD_NUMBER: 'no number',
  BAD_DATE: 'no date',
};

/** What came out, and the files to take away. */
export function Summary({ taskId, report }: { readonly taskId: string; readonly report: Report }): ReactElement {
  const { client, session } = useDemo();
  const [trouble, setTrouble] = useState('');
  const { source, rows, findings, totals, cleaned, duplicates } = report;
  const name = source.fileName.replace(/\.[^.]*$/, '');

  async function download(): Promise<void> {
    setTrouble('');
    try {
      const response = await session.fetch(client.attachmentUrl(taskId, cleaned.name));
      if (!response.ok) throw new Error(`The download was answered ${response.status}.`);
      save(await response.blob(), cleaned.name);
    } catch (error) {
      setTrouble((error as Error).message);
    }
  }

  return (
    <section className="summary" aria-labelledby="summary">
      <h2 id="summary">The report</h2>
      <dl className="figures">
        <Figure name="rows read" value={rows.read} />
        <Figure name="kept" value={rows.kept} />
        <Figure name="with findings" value={rows.bad} />
        <Figure name="duplicates dropped" value={rows.dropped} />
      </dl>
      <dl className="pairs">
        {Object.entries(kinds).map(([kind, label]) => (
          <Pair key={kind} name={label} value={countOf(findings[kind as keyof Report['findings']])} />
        ))}
        {Object.entries(totals).map(([column, total]) => (
          <Pair key={column} name={`sum of ${column}`} value={total} />
        ))}
      </dl>
      {duplicates.note && (
        <p>
          Why row {duplicates.place} stays: {duplicates.note}
        </p>
      )}
      <div className="row">
        <button className="primary" onClick={() => void download()}>
          Download the cleaned file <small>{sizeOf(cleaned.bytes)}</small>
        </button>
        <button onClick={() => save(new Blob([JSON.stringify(report, null, 2)], { type: 'application/json' }), `${name}-report.json`)}>
          Download the report
        </button>
      </div>
      {trouble && (
        <p className="notice bad" role="alert">
          {trouble}
        </p>
      )}
    </section>
  );
}

function Figure({ name, value }: { readonly name: string; readonly value: number }): ReactElement {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{countOf(value)}</dd>
    </div>
  );
}

function Pair({ name, value }: { readonly name: string; readonly value: string }): ReactElement {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
