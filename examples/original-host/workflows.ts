/** The demo tasks as workflows. Runs in Temporal's sandbox: what reads files is an activity. */
import { proxyActivities, sleep } from '@temporalio/workflow';
import { taskFailure, taskWorkflow } from 'taskbridge/adapters/temporal/workflow';
import type { activitiesOf } from './activities.ts';
import { demoTasks, type DemoTools } from './demo-tasks.ts';

const { analyze } = proxyActivities<ReturnType<typeof activitiesOf>>({ startToCloseTimeout: '30 seconds' });
const tools: DemoTools = { rest: (ms) => sleep(ms), analyze, failure: taskFailure };

export const demoSuccess = taskWorkflow((task) => demoTasks['demo.success'](task, tools));
export const demoFail = taskWorkflow((task) => demoTasks['demo.fail'](task, tools));
export const imageAnalysis = taskWorkflow((task) => demoTasks['demo.image.analyze'](task, tools));
export const documentReview = taskWorkflow((task) => demoTasks['enterprise.document.review'](task, tools));
