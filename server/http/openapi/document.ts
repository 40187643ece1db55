import { mountedPaths, routeMethods, type RoutePaths } from '../../../machines/routes/index.ts';
import { VERSION } from '../../../machines/json-schema/index.ts';
import { errorAnswers, operationDescription } from './operation-description.ts';
import { documentSchemas } from './document-schemas.ts';

/** The host's part of the document. */
export interface DocumentSettings {
  /** What stands before all routes but `health` and `ready`. */
  readonly prefix: string;
  /** The path under which the host has mounted it all; empty for none. */
  readonly mountPath: string;
  readonly paths: RoutePaths;
}

/**
 * The requests of the protocol as OpenAPI 3.1, with the paths of a host: the shapes are those that the server checks with. Source: protocol,
 * "Requests" and "Errors".
 */
export function openApiDocument({ prefix, mountPath, paths }: DocumentSettings): object {
  const documented: Record<string, Record<string, object>> = {};
  for (const [name, path] of mountedPaths(prefix, paths)) {
    const template = path.replaceAll(/:(\w+)/g, '{$1}');
    documented[template] = { ...documented[template], [routeMethods[name].toLowerCase()]: operationDescription(name, path) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'TaskBridge',
      version: VERSION,
      description: 'Tasks as durable, replayable logs of facts. What is said on the WebSocket is not described here.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: mountPath || '/' }],
    paths: documented,
    components: {
      schemas: documentSchemas(),
      responses: errorAnswers(),
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'Or what else the host takes, such as a cookie of its own.' },
      },
    },
  };
}
