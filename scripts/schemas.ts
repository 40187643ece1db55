/** Writes the wire as JSON Schema 2020-12, from the schemas that the code itself checks with. `--check` only compares. */
import * as z from 'zod/mini';
import * as answers from '../machines/wire/answers.ts';
import * as commands from '../machines/wire/commands.ts';
import { factTypes } from '../machines/wire/facts.ts';
import { jsonObject, jsonValue, textId } from '../machines/wire/json.ts';
import * as lists from '../machines/lists/task-list.ts';
import { partAttributes, partCursors } from '../machines/wire/parts.ts';
import { factSchema } from '../machines/wire/payloads.ts';
import { keepCommitted } from './committed.ts';

const schemas: Readonly<Record<string, z.core.$ZodType>> = {
  'cancel-task-request': commands.cancelTaskRequest,
  'cancel-task-response': answers.cancelTaskResponse,
  'create-task-request': commands.createTaskRequest,
  'create-task-response': answers.createTaskResponse,
  'error-envelope': answers.errorEnvelope,
  'extensions-granted-frame': answers.extensionsGrantedFrame,
  'gap-frame': answers.gapFrame,
  'heartbeat-frame': answers.heartbeatFrame,
  'part-frame': answers.partFrame,
  'poll-query': commands.pollQuery,
  'poll-response': answers.pollResponse,
  'shared-stream-query': commands.sharedStreamQuery,
  'sse-gap-frame': answers.sseGapFrame,
  'sse-heartbeat-frame': answers.sseHeartbeatFrame,
  'stream-query': commands.streamQuery,
  'submit-action-request': commands.submitActionRequest,
  'submit-action-response': answers.submitActionResponse,
  'subscribe-frame': commands.subscribeFrame,
  'subscription-confirmed-frame': answers.subscriptionConfirmedFrame,
  'subscription-ended-frame': answers.subscriptionEndedFrame,
  'task-list-query': lists.taskListQuery,
  'task-list-response': answers.taskListResponse,
  'task-snapshot-response': answers.taskSnapshotResponse,
  'task-types-response': answers.taskTypesResponse,
  'unsubscribe-frame': commands.unsubscribeFrame,
};

/** What the code checks by a function, said in the words of JSON Schema. */
const saidOtherwise = new Map<z.core.$ZodType, z.core.JSONSchema.BaseSchema>([
  [jsonObject, { type: 'object' }],
  [jsonValue, { description: 'Any JSON value.' }],
  ...[textId, commands.title, commands.label].map((plain) => [plain, { minLength: 1, pattern: '\\S' }] as const),
  [commands.labels, { uniqueItems: true }],
  [partAttributes, { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean', 'null'] } }],
  [
    partCursors,
    {
      pattern:
        '^(|[1-9]\\d{0,15}-\\d{1,16}\\.(0|[1-9]\\d{0,6})\\.[\\w-]{1,64}(,[1-9]\\d{0,15}-\\d{1,16}\\.(0|[1-9]\\d{0,6})\\.[\\w-]{1,64}){0,15})$',
    },
  ],
  [commands.taskSet, { pattern: '^[^,]+@[^,@]*(,[^,]+@[^,@]*){0,63}$' }],
  [commands.cursor, { pattern: '^(|0-0|[1-9]\\d{0,15}-\\d{1,16})$' }],
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

const facts = factTypes.map((type) => [type.toLowerCase().replaceAll('_', '-'), factSchema(type)] as const);

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
