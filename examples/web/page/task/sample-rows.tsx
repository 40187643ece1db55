import type { ReactElement } from 'react';
import type { DuplicatesQuestion } from '../../../report/fact-text.ts';

/** Rows that agree, group by group. */
export function SampleRows({ about }: { readonly about: DuplicatesQuestion }): ReactElement {
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Rows that agree">
      <table>
        <thead>
          <tr>
            <th scope="col">Line</th>
            {about.columns.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        {about.samples.map(({ rows }, group) => (
          <tbody key={group}>
            {rows.map(({ line, cells }) => (
              <tr key={line}>
                <th scope="row">{line}</th>
                {cells.map((cell, column) => (
                  <td key={column} className={cell === rows[0]?.cells[column] && cell === rows[1]?.cells[column] ? '' : 'differs'}>
                    {cell}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        ))}
      </table>
    </div>
  );
}
