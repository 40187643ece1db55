import { DEFAULT_PREFIX, defaultRoutePaths } from '../machines/routes/index.ts';
import * as answers from '../machines/wire/answers.ts';
import * as commands from '../machines/wire/commands.ts';
import { componentSchemas, factSchemas, schemaRef, VERSION } from '../machines/json-schema/index.ts';

/** Frames of a WebSocket, each with what it says. Source: protocol, "WebSocket" and "Extensions". */
const fromClient = {
  Subscribe: [commands.subscribeFrame, 'Shows a task, from a cursor on.'],
  Unsubscribe: [commands.unsubscribeFrame, 'Ends that, where `multiplex` was granted.'],
} as const;
const fromServer = {
  SubscriptionConfirmed: [answers.subscriptionConfirmedFrame, 'The first frame for a task.'],
  Heartbeat: [answers.heartbeatFrame, 'Nothing has happened for a while.'],
  Gap: [answers.gapFrame, 'The cursor could not be continued from; where `gap` was granted.'],
  ExtensionsGranted: [answers.extensionsGrantedFrame, 'The first frame of a socket for many tasks.'],
  SubscriptionEnded: [answers.subscriptionEndedFrame, 'Nothing more of a task; where `multiplex` was granted.'],
} as const;

const security = [{ $ref: '#/components/securitySchemes/bearer' }];
const channel = { $ref: '#/channels/webSocket' };

/** The WebSocket of the protocol as AsyncAPI 3.0, at the paths that a host has by default. */
export function asyncApiDocument(): object {
  const frames = { ...fromClient, ...fromServer };
  const facts = Object.keys(factSchemas);
  const told = {
    ...Object.fromEntries(Object.entries(frames).map(([name, [, summary]]) => [name, summary])),
    ...Object.fromEntries(facts.map((name) => [name, 'A fact.'])),
  };
  const toSchemas = Object.fromEntries(Object.entries(frames).map(([name, [schema]]) => [name, schema]));
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'TaskBridge',
      version: VERSION,
      description:
        'What is said on the WebSocket, one JSON text a frame. How its requests look is in openapi.json, what each frame means in protocol.md.',
      license: { name: 'MIT', url: 'https://spdx.org/licenses/MIT.html' },
    },
    defaultContentType: 'application/json',
    channels: {
      webSocket: {
        address: `${DEFAULT_PREFIX}${defaultRoutePaths.webSocket}`,
        messages: Object.fromEntries(Object.keys(told).map((name) => [name, { $ref: `#/components/messages/${name}` }])),
        bindings: {
          ws: {
            query: {
              type: 'object',
              properties: {
                extensions: { type: 'string', description: 'What is asked for, with commas between: gap, fallback, multiplex.' },
              },
            },
          },
        },
      },
    },
    operations: {
      subscribe: {
        action: 'receive',
        channel,
        security,
        summary: 'The server takes these.',
        messages: messageRefs(Object.keys(fromClient)),
      },
      tell: {
        action: 'send',
        channel,
        security,
        summary: 'The server sends these.',
        messages: messageRefs([...Object.keys(fromServer), ...facts]),
      },
    },
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'Or what else the host takes: in a browser a cookie, or a subprotocol `bearer.<base64url token>`.',
        },
      },
      messages: Object.fromEntries(Object.entries(told).map(([name, summary]) => [name, { summary, payload: schemaRef(name) }])),
      schemas: componentSchemas({ ...toSchemas, ...factSchemas }),
    },
  };
}

function messageRefs(names: readonly string[]): readonly object[] {
  return names.map((name) => ({ $ref: `${channel.$ref}/messages/${name}` }));
}
