import { componentSchemas, factSchemas, httpSchemas, schemaRef, type JsonSchema } from '../../../machines/json-schema/index.ts';

const ownWords = {
  Health: {
    type: 'object',
    properties: { status: { const: 'ok' } },
    required: ['status'],
    additionalProperties: false,
  },
  Readiness: {
    type: 'object',
    properties: {
      status: { enum: ['ready', 'not_ready'] },
      details: { type: 'object', description: 'What each probe found, by its name.', additionalProperties: { type: 'object' } },
    },
    required: ['status', 'details'],
    additionalProperties: false,
  },
  Fact: {
    description: 'What happened to a task. Types that are not listed here are passed on.',
    anyOf: [
      ...Object.keys(factSchemas).map(schemaRef),
      {
        description: 'A fact of another version.',
        type: 'object',
        properties: {
          type: { type: 'string' },
          taskId: { type: 'string' },
          eventId: { type: 'string' },
          createdAt: { type: 'string', format: 'date-time' },
          payload: { type: 'object' },
        },
        required: ['type', 'taskId', 'eventId', 'createdAt', 'payload'],
      },
    ],
  },
  StreamFrame: { anyOf: ['Fact', 'StreamHeartbeat', 'StreamGap', 'PartFrame', 'ExtensionsGranted', 'SubscriptionEnded'].map(schemaRef) },
} as const satisfies Readonly<Record<string, JsonSchema>>;

/** What the document has a name for. */
export type SchemaName = keyof typeof httpSchemas | keyof typeof ownWords;

/** The schemas of the document, from those that the server itself checks with. */
export function documentSchemas(): Readonly<Record<string, JsonSchema>> {
  const { PollResponse, ...schemas } = componentSchemas({ ...httpSchemas, ...factSchemas });
  const page: JsonSchema = {
    ...PollResponse,
    properties: { ...PollResponse?.properties, events: { type: 'array', items: schemaRef('Fact') } },
  };
  return Object.fromEntries(Object.entries({ ...schemas, ...ownWords, PollResponse: page }).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
