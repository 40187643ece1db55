/** The job of this example: what a host starts and what its result means. */
export type { Finding, FindingKind } from './finding.ts';
export type { ReportOptions } from './job.ts';
export { buildReport } from './report.ts';
export type { Column, Rules } from './rules.ts';
export { answers, type Answer, type Report } from './state.ts';
