import type { ReactElement } from 'react';
import type { DuplicatesQuestion } from '../../../report/fact-text.ts';

type Rows = DuplicatesQuestion['samples'][number]['rows'];

/** Rows that agree, group by group. Each column is a line, so that however many there are, nothing is cut off. */
export function SampleRows({ about }: { readonly about: DuplicatesQuestion }): ReactElement {
  return (
    <div className="samples">
      {about.samples.map(({ rows }, group) => (
        <Group key={group} columns={about.columns} rows={rows} />
      ))}
    </div>
  );
}

function Group({ columns, rows }: { readonly columns: readonly string[]; readonly rows: Rows }): ReactElement {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Line</th>
          {rows.map(({ line }) => (
            <th key={line} scope="col">
              {line}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {columns.map((name, column) => (
          <tr key={name} className={rows.some(({ cells }) => cells[column] !== rows[0]?.cells[column]) ? 'differs' : ''}>
            <th scope="row">{name}</th>
            {rows.map(({ line, cells }) => (
              <td key={line}>{cells[column]}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
