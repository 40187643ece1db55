import type { ReactNode } from 'react';
import { useQuestionForm, type QuestionForm, type QuestionFormOptions } from './use-question-form.ts';

/** What a question on a page is told. */
export interface TaskQuestionProps extends QuestionFormOptions {
  /** Draws it. */
  readonly children: (form: QuestionForm) => ReactNode;
}

/** A question without a look of its own: gives the form of {@link useQuestionForm} to a function that draws it. Give it `key={question.suspendId}`. */
export function TaskQuestion({ children, ...of }: TaskQuestionProps): ReactNode {
  return children(useQuestionForm(of));
}
