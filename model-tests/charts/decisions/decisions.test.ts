import { describeDecisions } from './decisions.ts';
import { suspensionDecisions } from './suspension-decisions.ts';
import { taskDecisions } from './task-decisions.ts';

describeDecisions(taskDecisions);
describeDecisions(suspensionDecisions);
