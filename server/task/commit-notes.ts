import type { AttemptEvent } from '../attempt/attempt.machine.ts';

/** What a commit did beside its facts, for whoever counts or follows it; nobody decides by it. */
export type CommitNote =
  /** Was entered into the execution record. */
  | { readonly type: 'attempt'; readonly event: AttemptEvent; readonly attempt: number }
  /** A question was answered, expired or was withdrawn at `at`, in the store's time; `asked` is the number of the fact that asked it. */
  | {
      readonly type: 'question.closed';
      readonly suspendId: string;
      readonly outcome: QuestionOutcome;
      readonly asked: number;
      readonly at: number;
    };

/** How a question ended. */
export type QuestionOutcome = 'ANSWERED' | 'EXPIRED' | 'CANCELLED';
