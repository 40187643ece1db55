import { useId, type InputHTMLAttributes, type ReactElement } from 'react';
import type { FormField } from 'taskbridge/react';
import type { Json } from 'taskbridge/wire';

/** One value of an answer, by the kind that its schema says. */
export function Field({ field }: { readonly field: FormField }): ReactElement {
  const id = useId();
  const { label, description, error, isRequired, kind } = field;
  return (
    <div className={kind === 'boolean' ? 'field box-field' : 'field'}>
      <label htmlFor={id}>
        {label}
        {!isRequired && kind !== 'boolean' && <span className="quiet"> (optional)</span>}
      </label>
      <Control id={id} field={field} />
      {(description ?? error) !== undefined && (
        <p id={`${id}-about`} className={error === undefined ? 'quiet' : 'bad'}>
          {error ?? description}
        </p>
      )}
    </div>
  );
}

function Control({ id, field }: { readonly id: string; readonly field: FormField }): ReactElement {
  const { kind, value, set, options, isRequired, description, error } = field;
  const told = {
    id,
    required: isRequired,
    'aria-invalid': error !== undefined,
    'aria-describedby': description === undefined && error === undefined ? undefined : `${id}-about`,
  };
  if (kind === 'boolean')
    return <input {...told} required={false} type="checkbox" checked={value === true} onChange={({ target }) => set(target.checked)} />;
  if (kind === 'choice')
    return (
      <select {...told} value={options.indexOf(value ?? null)} onChange={({ target }) => set(options[Number(target.value)])}>
        <option value={-1}>…</option>
        {options.map((option, index) => (
          <option key={index} value={index}>
            {typeof option === 'string' ? option : JSON.stringify(option)}
          </option>
        ))}
      </select>
    );
  if (kind === 'number' || kind === 'integer')
    return (
      <input
        {...told}
        {...limitsOf(field)}
        type="number"
        step={kind === 'integer' ? 1 : 'any'}
        value={typeof value === 'number' ? value : ''}
        onChange={({ target }) => set(target.value === '' ? undefined : target.valueAsNumber)}
      />
    );
  if (kind === 'json')
    return (
      <textarea
        {...told}
        rows={3}
        defaultValue={value === undefined ? '' : JSON.stringify(value)}
        onChange={({ target }) => setJson(target, set)}
      />
    );
  return (
    <input
      {...told}
      {...limitsOf(field)}
      type="text"
      value={typeof value === 'string' ? value : ''}
      onChange={({ target }) => set(target.value === '' ? undefined : target.value)}
    />
  );
}

/** What the browser can check before anything is sent; the server checks all of it. */
function limitsOf({ schema }: FormField): InputHTMLAttributes<HTMLInputElement> {
  const number = (name: string): number | undefined => (typeof schema[name] === 'number' ? schema[name] : undefined);
  return { min: number('minimum'), max: number('maximum'), minLength: number('minLength'), maxLength: number('maxLength') };
}

function setJson(target: HTMLTextAreaElement, set: (value: Json | undefined) => void): void {
  try {
    set(target.value.trim() === '' ? undefined : (JSON.parse(target.value) as Json));
    target.setCustomValidity('');
  } catch {
    target.setCustomValidity('This has to be JSON.');
  }
}
