import type { ReportIntent } from '../../machines/index.ts';
import { actionSchemasOf, partFault, questionOfReason, type ContractQuestion, type ContractType } from '../../machines/contract/index.ts';
import type { FactPayload, Json, JsonObject } from '../../machines/wire/index.ts';
import { TaskBridgeError } from '../errors.ts';
import type { WorkReport } from '../ports/executor.ts';
import type { SchemaFault } from '../schema-faults.ts';
import { faultDetails } from './refusals.ts';
import { checkBySchema, faultText } from './schema-check.ts';

type Reported = WorkReport['intents'][number];
type Suspended = FactPayload<'TASK_SUSPENDED'>;

/** Where a question carries the JSON Schemas of its actions. */
export const ACTIONS_FIELD = '$actions';

/**
 * The report as it may be committed: the result as its schema makes it, and with each question of the contract the JSON Schemas of its actions. Rejects
 * with `REQUEST_VALIDATION_ERROR`, and nothing is written, for a result or an interaction that does not fit, for an action that the question has
 * not got, for a part that the contract does not name, and for a question that brings the reserved field itself. Gives back the very report where nothing is to be done.
 */
export function checkedReport(type: ContractType | undefined, report: WorkReport): WorkReport | Promise<WorkReport> {
  for (const intent of report.intents)
    if (intent.type === 'report.suspended' && hasActionsField(intent.payload.interaction))
      throw refusal(intent, [{ path: `interaction.${ACTIONS_FIELD}`, reason: 'is reserved for the schemas of the actions' }]);
  for (const intent of report.intents) {
    const fault = type && intent.type === 'report.part.opened' ? partFault(type, intent.payload.name, intent.payload.kind) : undefined;
    if (fault !== undefined) throw refusal(intent, [{ path: 'name', reason: fault }]);
  }
  return type && report.intents.some(({ type: of }) => of === 'report.completed' || of === 'report.suspended')
    ? checkedBy(type, report)
    : report;
}

/** A question without what its contract says of its actions: that may change while it is open, and it stays the same question. */
export function withoutActions({ interaction, ...question }: Suspended): Suspended {
  if (!interaction) return question;
  const { [ACTIONS_FIELD]: _, ...shown } = interaction;
  return Object.keys(shown).length > 0 || !hasActionsField(interaction) ? { ...question, interaction: shown } : question;
}

/** True for a question whose actions a contract has. */
export function hasActionsField(interaction: unknown): boolean {
  return typeof interaction === 'object' && interaction !== null && Object.hasOwn(interaction, ACTIONS_FIELD);
}

async function checkedBy(type: ContractType, report: WorkReport): Promise<WorkReport> {
  const intents: WorkReport['intents'][number][] = [];
  // One after the other: the first that is wrong is the one that is told.
  for (const intent of report.intents) intents.push(await checkedIntent(type, intent));
  return { ...report, intents };
}

async function checkedIntent(type: ContractType, intent: Reported): Promise<Reported> {
  if (intent.type === 'report.completed') {
    if (!type.result) return intent;
    const result = await fitting(intent, type.result, intent.payload.result, 'result');
    return { ...intent, payload: { ...intent.payload, result } };
  }
  if (intent.type !== 'report.suspended') return intent;
  const question = questionOfReason(type, intent.payload.reasonCode);
  return question ? { ...intent, payload: await checkedQuestion(intent, question) } : intent;
}

async function checkedQuestion(
  intent: Extract<ReportIntent, { readonly type: 'report.suspended' }>,
  question: ContractQuestion,
): Promise<Suspended> {
  const { allowedActions, interaction = {} } = intent.payload;
  const foreign = allowedActions.findIndex((action) => !question.actions.has(action));
  if (foreign >= 0)
    throw refusal(intent, [
      {
        path: `allowedActions.${foreign}`,
        reason: `is no action of the question ${question.name}: it has ${[...question.actions.keys()].join(', ')}`,
      },
    ]);
  const shown = question.interaction ? await fitting(intent, question.interaction, interaction, 'interaction') : interaction;
  if (typeof shown !== 'object' || shown === null || Array.isArray(shown))
    throw refusal(intent, [{ path: 'interaction', reason: 'must be an object' }]);
  // No list, by the line above.
  return { ...intent.payload, interaction: { ...(shown as JsonObject), [ACTIONS_FIELD]: actionSchemasOf(question, allowedActions) } };
}

async function fitting(intent: ReportIntent, ...[schema, value, root]: Parameters<typeof checkBySchema>): Promise<Json> {
  const checked = await checkBySchema(schema, value, root);
  if (checked.faults) throw refusal(intent, checked.faults);
  return checked.value;
}

function refusal({ type }: Pick<Reported, 'type'>, faults: readonly SchemaFault[]): TaskBridgeError {
  const what = type === 'report.completed' ? 'The result' : type === 'report.suspended' ? 'The question' : 'The part';
  return new TaskBridgeError('REQUEST_VALIDATION_ERROR', `${what} was not written: ${faultText(faults)}.`, {
    details: faultDetails(faults),
  });
}
