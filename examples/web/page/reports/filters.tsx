import type { ReactElement } from 'react';
import type { ListedTasks } from 'taskbridge/react';

/** A state that a list may be of. */
export type ListedState = NonNullable<ListedTasks['state']>;

const states: readonly ListedState[] = ['accepted', 'running', 'suspended', 'cancelling', 'completed', 'failed', 'cancelled'];

/** Which reports are shown. */
export function Filters({
  state,
  label,
  onState,
  onLabel,
}: {
  readonly state: ListedState | undefined;
  readonly label: string | undefined;
  readonly onState: (state: ListedState | undefined) => void;
  readonly onLabel: (label: string | undefined) => void;
}): ReactElement {
  return (
    <div className="row">
      {label !== undefined && (
        <button className="label" aria-label={`${label} only: show all again`} onClick={() => onLabel(undefined)}>
          {label} <span aria-hidden="true">×</span>
        </button>
      )}
      <label>
        <span className="visually-hidden">State</span>
        <select value={state ?? ''} onChange={({ target }) => onState(states.find((one) => one === target.value))}>
          <option value="">in any state</option>
          {states.map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}
