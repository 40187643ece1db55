import { useCallback, useMemo, useRef, useState } from 'react';
import type { Json, JsonObject } from '../../machines/wire/index.ts';
import { TaskBridgeClientError, type ActRequest, type TaskBridgeClient } from '../index.ts';
import type { Outbox } from '../outbox/index.ts';
import { actionsOf, initialValues, payloadOf, type ShownQuestion, type QuestionAction, type QuestionField } from './question-fields.ts';
import { useActions, type TaskIdOrNone } from './use-task.ts';

/** How far an answer came. `sent`: the server has it, whatever became of it; the question goes when its fact comes. */
export type AnswerState =
  | { readonly status: 'open'; readonly error: null }
  | { readonly status: 'sending'; readonly error: null }
  | { readonly status: 'sent'; readonly error: null }
  | { readonly status: 'failed'; readonly error: TaskBridgeClientError };

/** A field of a form, with what it holds. */
export interface FormField extends QuestionField {
  /** Undefined while it is empty. */
  readonly value: Json | undefined;
  /** What the server said of it when the answer was refused. */
  readonly error: string | undefined;
  readonly set: (value: Json | undefined) => void;
}

/** A question as a form. */
export type QuestionForm = AnswerState & {
  readonly question: ShownQuestion;
  readonly actions: readonly QuestionAction[];
  /** The action that is chosen: the only one, or none before one is. */
  readonly action: QuestionAction | null;
  /** Chooses an action; what was entered for another is forgotten. */
  readonly choose: (actionType: string) => void;
  /** Of the chosen action. */
  readonly fields: readonly FormField[];
  /**
   * Sends what is entered, or `payload` in its place; by the chosen action, or the one that is named. Resolves with true once the server has it; false where
   * it failed, as the state says, where an answer is on its way already, and where no action is chosen.
   */
  readonly submit: (actionType?: string, payload?: JsonObject) => Promise<boolean>;
};

const open: AnswerState = { status: 'open', error: null };

/** Which question a form is of. */
export interface QuestionFormOptions {
  readonly taskId: TaskIdOrNone;
  /** One of `useQuestions`, or of `task.openSuspensions`. */
  readonly question: ShownQuestion;
  /** Defaults to the provider's. */
  readonly client?: TaskBridgeClient | undefined;
  /** Keeps the answer and sends it, in the place of the client: one that is given offline goes out later, and is `sending` until then; one that is taken back there leaves the form open. */
  readonly outbox?: Pick<Outbox, 'act'> | undefined;
}

/** A question as a form, drawn from the schemas that it carries. */
export function useQuestionForm({ taskId, question, client, outbox }: QuestionFormOptions): QuestionForm {
  const { act } = useActions(client, taskId);
  const actions = useMemo(() => actionsOf(question), [question]);
  const [chosen, setChosen] = useState<string | undefined>(() => (actions.length === 1 ? actions[0]?.actionType : undefined));
  const action = actions.find(({ actionType }) => actionType === chosen) ?? null;
  const [entered, setEntered] = useState<JsonObject>({});
  const [state, setState] = useState<AnswerState>(open);
  const isSending = useRef(false);
  const values = useMemo(() => ({ ...(action && initialValues(action.fields)), ...entered }), [action, entered]);

  const choose = useCallback((actionType: string) => {
    setChosen(actionType);
    setEntered({});
    setState(open);
  }, []);
  const submit = useCallback(
    async (actionType = action?.actionType, payload?: JsonObject): Promise<boolean> => {
      if (isSending.current || actionType === undefined) return false;
      isSending.current = true;
      setState({ status: 'sending', error: null });
      try {
        const fields = action?.actionType === actionType ? action.fields : [];
        const given = payload ?? payloadOf(fields, values);
        const isSent = outbox ? await sentBy(outbox, taskId, { suspendId: question.suspendId, actionType, payload: given }) : true;
        if (!outbox) await act(question, actionType, given);
        setState(isSent ? { status: 'sent', error: null } : open);
        return isSent;
      } catch (cause) {
        const error = cause instanceof TaskBridgeClientError ? cause : new TaskBridgeClientError('NETWORK_ERROR', String(cause), { cause });
        setState({ status: 'failed', error });
        return false;
      } finally {
        isSending.current = false;
      }
    },
    [act, outbox, taskId, action, question, values],
  );
  const fields = useMemo(
    () =>
      (action?.fields ?? []).map((field): FormField => ({
        ...field,
        value: values[field.name],
        error: faultOf(state.error, field.name),
        set: (value) => setEntered(({ [field.name]: _, ...others }) => (value === undefined ? others : { ...others, [field.name]: value })),
      })),
    [action, values, state],
  );
  return { ...state, question, actions, action, choose, fields, submit };
}

/** Resolves when an outbox has sent an answer: false for one that was taken back there. Rejects with why it came to nothing. */
async function sentBy(outbox: Pick<Outbox, 'act'>, taskId: TaskIdOrNone, request: ActRequest): Promise<boolean> {
  const outcome = await (await outbox.act(taskId ?? '', request)).settled();
  if (outcome.state === 'withdrawn') return false;
  if (!('refusal' in outcome)) return true;
  const { code, message, status, details } = outcome.refusal;
  throw new TaskBridgeClientError(code, message, { details, status, codeFrom: status === undefined ? 'client' : 'server' });
}

/** What a refusal says of one property of a payload. */
function faultOf(error: TaskBridgeClientError | null, name: string): string | undefined {
  const faults = error?.details['errors'];
  if (!Array.isArray(faults)) return undefined;
  const path = `payload.${name}`;
  const fault = (faults as readonly { path?: unknown; reason?: unknown }[]).find((one) => {
    const at = String(one?.path);
    return at === path || at.startsWith(`${path}.`);
  });
  return fault && String(fault.reason);
}
