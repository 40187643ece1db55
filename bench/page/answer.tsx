import { memo } from 'react';
import { createRoot } from 'react-dom/client';
import { createTaskBridgeClient } from '../../client/index.ts';
import { taskParts } from '../../client/parts/index.ts';
import { TaskBridgeProvider, usePart } from '../../client/react/index.ts';
import { shape, taskId, token } from './address.ts';

// An answer as it grows: by paragraphs, of which only the last one is drawn again, or as one text.
const client = createTaskBridgeClient({ baseUrl: location.origin, auth: () => token, parts: taskParts() });

const Paragraph = memo(({ text }: { readonly text: string }) => <p style={{ whiteSpace: 'pre-wrap' }}>{text}</p>);

function Answer() {
  const text = usePart(taskId, 'answer')?.text ?? '';
  const paragraphs = shape === 'whole' ? [text] : text.split('\n\n');
  return (
    <article>
      {paragraphs.map((paragraph, nth) => (
        <Paragraph key={nth} text={paragraph} />
      ))}
    </article>
  );
}

createRoot(document.body).render(
  <TaskBridgeProvider client={client}>
    <Answer />
  </TaskBridgeProvider>,
);
