import { memo, useMemo, type ReactElement } from 'react';
import { usePart, useTaskSelector } from 'taskbridge/react';

/** The answer while it grows: renders once a frame, however fast words come, and nothing else renders for them. */
export function Answer({ taskId }: { readonly taskId: string }): ReactElement {
  const part = usePart(taskId, 'answer');
  const isWaiting = useTaskSelector(taskId, ({ task }) => task.state === 'suspended');
  const isOver = useTaskSelector(taskId, ({ task }) => task.terminal);
  const isGrowing = !isOver && !isWaiting && part?.open !== false;
  const text = part?.text ?? '';
  // What stands does not change any more: only the last paragraph is drawn anew.
  const paragraphs = useMemo(() => text.split('\n\n'), [text]);
  return (
    <div className={isGrowing ? 'answer growing' : 'answer'} aria-busy={isGrowing} data-testid="answer">
      {text === '' && isGrowing ? <Thinking /> : paragraphs.map((paragraph, nth) => <Paragraph key={nth} text={paragraph} />)}
    </div>
  );
}

const Paragraph = memo(function Paragraph({ text }: { readonly text: string }): ReactElement {
  return <p>{text}</p>;
});

function Thinking(): ReactElement {
  return (
    <span className="waiting" aria-hidden="true">
      …
    </span>
  );
}
