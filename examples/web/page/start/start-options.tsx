import type { ReactElement } from 'react';

/** How a report is to be made. */
export interface ChosenOptions {
  readonly paceSeconds: number;
  /** Parted by commas, as they were typed. */
  readonly labels: string;
}

const paces = [
  { seconds: 0, label: 'as fast as it goes' },
  { seconds: 5, label: '5 seconds a pass' },
  { seconds: 20, label: '20 seconds a pass, to watch it' },
  { seconds: 90, label: '90 seconds a pass' },
] as const;

/** Asks how the next report is to be made, and what to find it by. */
export function StartOptions({
  chosen,
  onChoose,
}: {
  readonly chosen: ChosenOptions;
  readonly onChoose: (options: ChosenOptions) => void;
}): ReactElement {
  return (
    <div className="start-options">
      <label>
        Work
        <select value={chosen.paceSeconds} onChange={({ target }) => onChoose({ ...chosen, paceSeconds: Number(target.value) })}>
          {paces.map(({ seconds, label }) => (
            <option key={seconds} value={seconds}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <label>
        Labels, if you like
        <input
          type="text"
          placeholder="2026, sales"
          maxLength={200}
          value={chosen.labels}
          onChange={({ target }) => onChoose({ ...chosen, labels: target.value })}
        />
      </label>
    </div>
  );
}
