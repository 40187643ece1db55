import type { Intent } from '../../machines/index.ts';
import type { ActionStatus, JsonObject, SubmitActionRequest, SubmitActionResponse } from '../../machines/wire/index.ts';
import { questionOfReason, type ReadSchema } from '../../machines/contract/index.ts';
import { faultDetails } from '../contract/refusals.ts';
import { checkBySchema, faultText } from '../contract/schema-check.ts';
import { suspensionNotFound, TaskBridgeError } from '../errors.ts';
import type { AcceptedAction } from '../ports/executor.ts';
import type { AuthContext } from '../ports/auth.ts';
import type { TaskAbout } from './about.ts';
import { canonicalJson, sha256 } from './content-hash.ts';
import { refusedIntent } from './early-decision.ts';
import type { UnitOfWork } from './unit-of-work.ts';
import type { Command } from './mailbox.ts';
import type { TaskServiceDeps } from './task-service-deps.ts';
import { sideValueNames, type TaskRecord } from './task-record.ts';

/** The action type that carries a user interface's own event; it may only be taken where a host checks it. */
const UI_ACTION = 'a2ui_action';

interface StoredReceipt {
  readonly suspendId: string;
  readonly hash: string;
}

/** The intent of an action, now. */
export function actionIntent({ time }: TaskServiceDeps, { suspendId, clientActionId, actionType }: SubmitActionRequest): Intent {
  return { type: 'action.submit', suspendId, clientActionId, actionType, at: new Date(time.now()).toISOString() };
}

/** Hands an action to its suspension's chart, whose task was seen a moment ago. Accepted, it is stored whole with its receipt in the commit of its fact. */
export async function submitAction(
  deps: TaskServiceDeps,
  auth: AuthContext,
  seen: TaskRecord,
  request: SubmitActionRequest,
): Promise<SubmitActionResponse> {
  const { about } = seen;
  const { taskId } = about;
  const { suspendId, clientActionId, actionType } = request;
  const payload = request.payload ?? {};
  const metadata = request.metadata ?? {};
  const type = deps.contracts.typeOf(about.taskType);
  let command = { ...actionCommand(request, { payload, metadata }, payload), source: deps.source };

  // Its schema and the host's policy are asked about an action that would be accepted; then it is decided again, for it may have changed meanwhile.
  if (deps.actions || actionType === UI_ACTION || type) {
    let reasonCode: string | undefined;
    const rehearsed = await deps.processor.execute(
      taskId,
      {
        ...command,
        decide(unit, sideValues) {
          reasonCode = unit.aggregate.suspensions.get(suspendId)?.context.question?.reasonCode;
          return unit.rehearse((trial) => command.decide(trial, sideValues));
        },
      },
      seen,
    );
    if (rehearsed === 'ACCEPTED') {
      const schema = type && questionOfReason(type, reasonCode)?.actions.get(actionType);
      const checked = async (): Promise<JsonObject> => {
        const fitted = schema ? await fittingPayload(schema, actionType, payload) : payload;
        await validate(deps, auth, about, { suspendId, actionType, payload: fitted, metadata });
        return fitted;
      };
      const fitting = await checked().catch((error: unknown) => {
        throw refusedIntent(deps, seen, () => actionIntent(deps, request), error);
      });
      command = { ...command, ...actionCommand(request, { payload, metadata }, fitting) };
    }
  }
  const status = await deps.processor.execute(taskId, command, seen);
  return { taskId, suspendId, clientActionId, status };
}

/** The payload as the schema of its action makes it. Throws `INVALID_REQUEST`, with the paths of what is wrong. */
async function fittingPayload(schema: ReadSchema, actionType: string, payload: JsonObject): Promise<JsonObject> {
  const { faults, value } = await checkBySchema(schema, payload, 'payload');
  if (faults)
    throw new TaskBridgeError('INVALID_REQUEST', `The action of type ${JSON.stringify(actionType)} was not taken: ${faultText(faults)}.`, {
      details: faultDetails(faults),
    });
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TypeError(`The schema of the action ${actionType} makes no object of its payload, which is one.`);
  // No list, by the line above.
  return value as JsonObject;
}

/** The receipt is of the action as it was sent; `handed` is the payload that work gets. */
function actionCommand(
  request: SubmitActionRequest,
  { payload, metadata }: Readonly<Record<'payload' | 'metadata', JsonObject>>,
  handed: JsonObject,
): Command<ActionStatus> {
  const { suspendId, clientActionId, actionType } = request;
  const hash = sha256(canonicalJson([suspendId, actionType, payload, metadata]));
  const receiptName = sideValueNames.receipt(clientActionId);
  return {
    needs: [receiptName],
    decide(unit: UnitOfWork, sideValues) {
      const stored = unit.sideValue(receiptName) ?? sideValues.get(receiptName);
      const receipt = stored === undefined ? undefined : (JSON.parse(stored) as StoredReceipt).hash === hash ? 'same' : 'different';
      const intent = { type: 'action.submit', suspendId, clientActionId, actionType, at: unit.at } as const;
      const { refusal } = unit.decide(receipt ? { ...intent, receipt } : intent);
      if (refusal === undefined) {
        const answer: AcceptedAction = { clientActionId, actionType, payload: handed, metadata, acceptedAt: unit.at };
        const written: StoredReceipt = { suspendId, hash };
        unit.setSideValue(sideValueNames.answer(suspendId), JSON.stringify(answer));
        unit.setSideValue(receiptName, JSON.stringify(written));
        return 'ACCEPTED';
      }
      switch (refusal) {
        case 'DEDUPLICATED':
        case 'REJECTED_ALREADY_RESOLVED':
        case 'REJECTED_EXPIRED':
          return refusal;
        case 'SUSPENSION_NOT_FOUND':
          throw suspensionNotFound(suspendId);
        case 'IDEMPOTENCY_CONFLICT':
          throw new TaskBridgeError(
            refusal,
            `clientActionId ${JSON.stringify(clientActionId)} was used for another action; use a new one.`,
            {
              details: { clientActionId },
            },
          );
        case 'ACTION_NOT_ALLOWED':
          throw new TaskBridgeError(
            refusal,
            `Suspension ${JSON.stringify(suspendId)} does not take an action of type ${JSON.stringify(actionType)}.`,
            {
              details: { allowedActions: unit.aggregate.suspensions.get(suspendId)?.context.question?.allowedActions ?? [] },
            },
          );
        default:
          throw new Error(`A suspension's chart refused an action with ${refusal}.`);
      }
    },
  };
}

async function validate(
  { actions }: TaskServiceDeps,
  auth: AuthContext,
  about: TaskAbout,
  action: { readonly suspendId: string; readonly actionType: string; readonly payload: JsonObject; readonly metadata: JsonObject },
): Promise<void> {
  if (action.actionType === UI_ACTION && Object.keys(action.metadata).length === 0)
    throw new TaskBridgeError('INVALID_REQUEST', `An action of type ${UI_ACTION} needs metadata that says where it comes from.`);
  if (action.actionType === UI_ACTION && !actions)
    throw new TaskBridgeError('INVALID_REQUEST', `This server takes no action of type ${UI_ACTION}: it has no policy to check one.`);
  const refusal = await actions?.refuseAction(auth, about, action);
  if (refusal !== undefined) throw new TaskBridgeError('INVALID_REQUEST', refusal);
}
