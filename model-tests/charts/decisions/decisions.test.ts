import { allDecisions } from './chart-decisions.ts';
import { describeDecisions } from './decisions-suite.ts';

for (const decisions of allDecisions) describeDecisions(decisions);
