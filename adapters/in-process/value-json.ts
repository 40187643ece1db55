import { jsonFault, limits, type Json } from '../../machines/wire/index.ts';
import { LATEST_BYTES_MAX } from '../../server/ports/index.ts';
import { RefusedReport } from './failure.ts';

/** The value of a part as JSON. Throws a `RefusedReport` for what is no JSON, with its place, and for what is too long. */
export function valueJson(name: string, value: Json): Buffer {
  const refuse = (code: string, reason: string): RefusedReport =>
    new RefusedReport(code, `A value of the part ${JSON.stringify(name)} was not written: ${reason}.`);
  const fault = faultIn(value, '', 1);
  if (fault !== undefined) throw refuse('REPORT_REFUSED', fault);
  const bytes = Buffer.from(JSON.stringify(value));
  if (bytes.byteLength > LATEST_BYTES_MAX)
    throw refuse('PAYLOAD_TOO_LARGE', `it has ${bytes.byteLength} bytes as JSON, and one may have ${LATEST_BYTES_MAX}`);
  return bytes;
}

function faultIn(value: unknown, place: string, depth: number): string | undefined {
  if (typeof value !== 'object' || value === null) {
    const fault = jsonFault(value);
    return fault && `what is at ${place === '' ? 'its root' : JSON.stringify(place)} ${fault}`;
  }
  if (depth > limits.nestingMax) return `it is nested deeper than ${limits.nestingMax}`;
  for (const [key, each] of Object.entries(value)) {
    // A field that is undefined is one that is not there.
    if (each === undefined && !Array.isArray(value)) continue;
    const fault = faultIn(key, `${place}/${key}`, depth + 1) ?? faultIn(each, `${place}/${key}`, depth + 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
