import type { ReportIntent } from '../../machines/index.ts';
import { TaskBridgeError } from '../errors.ts';
import { faultDetails } from '../contract/refusals.ts';

/** All that work may report, whoever brings the report. What it would say of parts is not among it, see `PartIntent`. */
const reported: Readonly<Record<ReportIntent['type'], true>> = {
  'report.started': true,
  'report.progress': true,
  'report.message': true,
  'report.suspended': true,
  'report.completed': true,
  'report.failed': true,
  'report.cancelled': true,
};

/** Throws `REQUEST_VALIDATION_ERROR` for a report with an intent that no work may bear: a caller without TypeScript may have written anything. */
export function refuseForeignIntents(intents: readonly ReportIntent[]): void {
  const nth = intents.findIndex(({ type }) => !Object.hasOwn(reported, type));
  if (nth < 0) return;
  const reason = `is none that a report may have: ${Object.keys(reported).join(', ')}`;
  throw new TaskBridgeError('REQUEST_VALIDATION_ERROR', `A report was not taken: the type of intent ${nth} ${reason}.`, {
    details: faultDetails([{ path: `intents.${nth}.type`, reason }]),
  });
}
