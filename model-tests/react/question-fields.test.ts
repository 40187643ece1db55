import { actionsOf } from 'taskbridge/react';
import { expect, test } from 'vitest';

const fieldsOf = (schema: object) =>
  actionsOf({ allowedActions: ['a'], interaction: { $actions: { a: schema } } as never })[0]?.fields.map(
    ({ schema: _, ...field }) => field,
  );

test('a field of each kind, as its schema describes it', () => {
  const properties = {
    name: { type: 'string', title: 'Your name', description: 'As printed.', default: 'Ada' },
    count: { type: 'integer' },
    share: { type: 'number' },
    sure: { type: 'boolean' },
    size: { enum: ['s', 'm'] },
    only: { const: 7 },
    rows: { type: 'array' },
    odd: true,
  };
  const plain = { description: undefined, isRequired: false, options: [], initial: undefined };
  expect(fieldsOf({ type: 'object', properties, required: ['count'] })).toEqual([
    { ...plain, name: 'name', kind: 'text', label: 'Your name', description: 'As printed.', initial: 'Ada' },
    { ...plain, name: 'count', kind: 'integer', label: 'count', isRequired: true },
    { ...plain, name: 'share', kind: 'number', label: 'share' },
    { ...plain, name: 'sure', kind: 'boolean', label: 'sure' },
    { ...plain, name: 'size', kind: 'choice', label: 'size', options: ['s', 'm'] },
    { ...plain, name: 'only', kind: 'choice', label: 'only', options: [7] },
    { ...plain, name: 'rows', kind: 'json', label: 'rows' },
    { ...plain, name: 'odd', kind: 'json', label: 'odd' },
  ]);
});

test('no field where a schema says nothing of properties, and no schema where the question brings none', () => {
  for (const schema of [{}, { type: 'string' }, { properties: 'x' }, { properties: [] }]) expect(fieldsOf(schema)).toEqual([]);
  for (const interaction of [undefined, {}, { $actions: null }, { $actions: ['a'] }, { $actions: { a: 'x' } }])
    expect(actionsOf({ allowedActions: ['a', 'b'], interaction: interaction as never })).toEqual([
      { actionType: 'a', label: 'a', schema: undefined, fields: [] },
      { actionType: 'b', label: 'b', schema: undefined, fields: [] },
    ]);
});
