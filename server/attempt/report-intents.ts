import type { Decision, ReportIntent } from '../../machines/index.ts';
import type { PartReport, ReportRefusal } from '../ports/executor.ts';
import type { Store } from '../ports/store.ts';
import type { UnitOfWork } from '../task/unit-of-work.ts';
import { TaskBridgeError } from '../errors.ts';
import { faultDetails } from '../contract/refusals.ts';

type Reported = ReportIntent | PartReport;

/** All that work may report, whoever brings the report; true for what only a store with lanes takes. */
const reported: Readonly<Record<Reported['type'], boolean>> = {
  'report.started': false,
  'report.progress': false,
  'report.message': false,
  'report.suspended': false,
  'report.completed': false,
  'report.failed': false,
  'report.cancelled': false,
  'report.part.opened': true,
  'report.part.closed': true,
  'report.part.adopted': true,
  'report.part.continued': true,
};
const KEY_CHARACTERS_MAX = 64;

/**
 * Throws `REQUEST_VALIDATION_ERROR` for a report with an intent that no work may bear: a caller without TypeScript may have written anything. So does what is
 * said of parts where the store keeps none.
 */
export function refuseForeignIntents(intents: readonly Reported[], { name, lanes }: Pick<Store, 'name' | 'lanes'>): void {
  for (let nth = 0; nth < intents.length; nth += 1) {
    const intent = intents[nth];
    if (!intent) continue;
    const { type } = intent;
    if (!Object.hasOwn(reported, type))
      refuse(`intents.${nth}.type`, `is none that a report may have: ${Object.keys(reported).join(', ')}`);
    if (reported[type] && !lanes) refuse(`intents.${nth}.type`, `is of a part, and the store "${name}" keeps none`);
    if ((intent.type === 'report.part.opened' || intent.type === 'report.part.adopted') && !isKey(intent.key))
      refuse(`intents.${nth}.key`, `is no text of 1 to ${KEY_CHARACTERS_MAX} characters`);
  }
}

/** True for what concerns a part. */
export function isPartReport(intent: Reported): intent is PartReport {
  return reported[intent.type];
}

/** Decides what work says of a part. */
export function decidePart(unit: UnitOfWork, intent: PartReport): ReportRefusal | undefined {
  switch (intent.type) {
    case 'report.part.opened':
      return openPart(unit, intent);
    case 'report.part.closed':
      return unit.parts.close(intent.payload.part, intent.payload.outcome === 'ABANDONED' ? 'ABANDONED' : 'DONE');
    case 'report.part.adopted':
      return unit.parts.adopt(intent.payload.part, intent.key) ? undefined : 'PART_NOT_OPEN';
    case 'report.part.continued':
      return unit.parts.goOn(intent.payload.part) ? undefined : 'PART_NOT_OPEN';
  }
}

function openPart(
  unit: UnitOfWork,
  { payload, key, onRerun, closeAs }: Extract<PartReport, { readonly type: 'report.part.opened' }>,
): Decision['refusal'] {
  const { refusal } = unit.decide({ type: 'report.part.opened', payload });
  const opened = unit.aggregate.task.context.openParts.at(-1);
  if (refusal !== undefined || !opened) return refusal;
  unit.parts.noteOpening(opened.opened, {
    key,
    ...(onRerun === 'continue' && { onRerun }),
    ...(closeAs === 'message' && { closeAs }),
  });
  return undefined;
}

function isKey(key: unknown): boolean {
  return typeof key === 'string' && key !== '' && key.length <= KEY_CHARACTERS_MAX;
}

function refuse(path: string, reason: string): never {
  const place = path.replace(/^intents\.(\d+)\.(.*)$/, 'the $2 of intent $1');
  throw new TaskBridgeError('REQUEST_VALIDATION_ERROR', `A report was not taken: ${place} ${reason}.`, {
    details: faultDetails([{ path, reason }]),
  });
}
