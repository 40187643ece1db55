import type { AcceptedAction, AttachmentReference, Question } from 'taskbridge/server';
import type { JsonObject } from 'taskbridge/wire';

// What the four types of tasks do, whoever runs them. Temporal's sandbox loads this too: it may import types only.

/** A task as this work knows it: the handler's and the workflow's alike. */
export interface DemoTask {
  readonly taskId: string;
  readonly input: JsonObject;
  readonly attachments: readonly AttachmentReference[];
  progress(progress: number, about?: { readonly message?: string }): Promise<void>;
  suspend(key: string, question: Question): Promise<AcceptedAction>;
}

/** What the work needs of those who run it. */
export interface DemoTools {
  rest(ms: number): Promise<void>;
  /** What the file is; reads it. */
  analyze(attachment: AttachmentReference): Promise<readonly string[]>;
  /** What to throw for the task to fail with this code. */
  failure(code: string, message: string): Error;
}

/** The work of one type of tasks. */
export type DemoWork = (task: DemoTask, tools: DemoTools) => Promise<JsonObject>;

const REST_MS = 350;

type Step = readonly [progress: number, message: string];
const successSteps: readonly Step[] = [
  [20, 'started'],
  [60, 'working'],
  [90, 'writing the result'],
];

async function take(steps: readonly Step[], task: DemoTask, { rest }: DemoTools): Promise<void> {
  for (const [progress, message] of steps) {
    await rest(REST_MS);
    await task.progress(progress, { message });
  }
}

const succeed: DemoWork = async (task, tools) => {
  await take(successSteps, task, tools);
  return { kind: 'success', echo: task.input };
};

const fail: DemoWork = async (task, tools) => {
  await take(
    [
      [25, 'started'],
      [60, 'about to fail'],
    ],
    task,
    tools,
  );
  throw tools.failure('DEMO_FAILURE', 'A task of type demo.fail always fails.');
};

const analyzeImage: DemoWork = async (task, tools) => {
  await take(
    [
      [15, 'reading the image'],
      [45, 'looking at it'],
    ],
    task,
    tools,
  );
  const [image] = task.attachments;
  const labels = image ? await tools.analyze(image) : [];
  await take([[80, 'writing the summary']], task, tools);
  return {
    kind: 'image_analysis',
    summary: image ? `${image.fileName}: ${labels.join(', ')}` : 'There was no image.',
    attachment: { filename: image?.fileName ?? null, content_type: image?.contentType ?? null, size_bytes: image?.bytes ?? null },
    labels: [...labels],
    input_echo: task.input,
  };
};

const review: DemoWork = async (task, tools) => {
  await take(successSteps, task, tools);
  const { actionType, payload } = await task.suspend('review', {
    reasonCode: 'manual_review',
    allowedActions: ['approve', 'reject'],
    uiHints: { title: 'Review', message: 'A person has to look at this document.' },
    interaction: { doc_id: task.input['doc_id'] ?? null },
  });
  const why = typeof payload['comment'] === 'string' ? `: ${payload['comment']}` : '.';
  if (actionType === 'reject') throw tools.failure('DOCUMENT_REJECTED', `The reviewer rejected the document${why}`);
  return { status: 'processed', human_decision: actionType, final_note: `The reviewer approved the document${why}` };
};

/** The work by task type. */
export const demoTasks = {
  'demo.success': succeed,
  'demo.fail': fail,
  'demo.image.analyze': analyzeImage,
  'enterprise.document.review': review,
} as const satisfies Readonly<Record<string, DemoWork>>;
