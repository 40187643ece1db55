import type { IncomingMessage } from 'node:http';
import { streamQuery } from '../../machines/wire/index.ts';
import { queryFields } from './query.ts';
import { validate } from './validation.ts';

/** What a request for a stream says: the cursor of `Last-Event-ID`, else of the query, and the extensions. Throws `REQUEST_VALIDATION_ERROR`. */
export function readStreamRequest(
  { headers }: Pick<IncomingMessage, 'headers'>,
  queryString: string,
): { readonly lastEventId?: string | undefined; readonly extensions?: string | undefined; readonly parts?: string | undefined } {
  const header = headers['last-event-id'];
  const fields = queryFields(queryString, ['lastEventId', 'extensions', 'parts']);
  return validate(streamQuery, typeof header === 'string' ? { ...fields, lastEventId: header } : fields);
}
