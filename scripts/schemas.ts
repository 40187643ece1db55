/** Writes the wire as JSON Schema 2020-12, from the schemas that the code itself checks with. `--check` only compares. */
import * as z from 'zod/mini';
import * as wire from '../machines/index.ts';
import { keepCommitted } from './committed.ts';

const schemas: Readonly<Record<string, z.core.$ZodType>> = {
  'cancel-task-request': wire.cancelTaskRequest,
  'cancel-task-response': wire.cancelTaskResponse,
  'create-task-request': wire.createTaskRequest,
  'create-task-response': wire.createTaskResponse,
  'error-envelope': wire.errorEnvelope,
  'extensions-granted-frame': wire.extensionsGrantedFrame,
  'gap-frame': wire.gapFrame,
  'heartbeat-frame': wire.heartbeatFrame,
  'poll-query': wire.pollQuery,
  'poll-response': wire.pollResponse,
  'sse-gap-frame': wire.sseGapFrame,
  'sse-heartbeat-frame': wire.sseHeartbeatFrame,
  'stream-query': wire.streamQuery,
  'submit-action-request': wire.submitActionRequest,
  'submit-action-response': wire.submitActionResponse,
  'subscribe-frame': wire.subscribeFrame,
  'subscription-confirmed-frame': wire.subscriptionConfirmedFrame,
  'subscription-ended-frame': wire.subscriptionEndedFrame,
  'task-snapshot-response': wire.taskSnapshotResponse,
  'unsubscribe-frame': wire.unsubscribeFrame,
};

/** What the code checks by a function, said in the words of JSON Schema. */
const saidOtherwise = new Map<z.core.$ZodType, z.core.JSONSchema.BaseSchema>([
  [wire.jsonObject, { type: 'object' }],
  [wire.jsonValue, { description: 'Any JSON value.' }],
  [wire.textId, { minLength: 1, pattern: '\\S' }],
  [wire.cursor, { pattern: '^(|0-0|[1-9]\\d{0,15}-\\d{1,16})$' }],
]);

function jsonSchema(name: string, schema: z.core.$ZodType): string {
  const written = z.toJSONSchema(schema, {
    unrepresentable: 'any',
    io: 'input',
    override: ({ zodSchema, jsonSchema: said }) => {
      Object.assign(said, saidOtherwise.get(zodSchema));
      // A clock's pattern says no more than its format, at great length.
      if (said.format === 'date-time') said.pattern = 'Z$';
    },
  });
  return text({ ...written, title: name });
}

function text(schema: object): string {
  return `${JSON.stringify(schema, null, 2)}\n`;
}

const facts = wire.factTypes.map((type) => [type.toLowerCase().replaceAll('_', '-'), wire.factSchema(type)] as const);

const files = new Map<string, string>();
for (const [name, schema] of [...Object.entries(schemas), ...facts]) files.set(`${name}.json`, jsonSchema(name, schema));
files.set(
  'fact.json',
  text({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'fact',
    oneOf: facts.map(([name]) => ({ $ref: `${name}.json` })),
  }),
);
keepCommitted('docs/schemas', files, 'npm run schemas');
