import type { demoTasks } from './demo-tasks.ts';
import type * as workflows from './workflows.ts';

/** The workflow that runs each type of tasks, by its name in `workflows.ts`. */
export const workflowNames = {
  'demo.success': 'demoSuccess',
  'demo.fail': 'demoFail',
  'demo.image.analyze': 'imageAnalysis',
  'enterprise.document.review': 'documentReview',
} as const satisfies Readonly<Record<keyof typeof demoTasks, keyof typeof workflows>>;
