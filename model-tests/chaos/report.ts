import type { ChaosReport } from './chaos-run.ts';
import { faultKinds, type FaultKind } from './checker.ts';

const LINES_MAX = 40;

/** A report as people read it. */
export function printReport(report: ChaosReport): string {
  const { record, counts, outcomes, faults, lines } = report;
  const inflicted = [...faults.values()].reduce((sum, count) => sum + count, 0);
  const asked = record.creations.reduce((sum, { answered, unknown }) => sum + answered + unknown, 0);
  const rows = (Object.keys(faultKinds) as FaultKind[]).map(
    (kind) => `  ${String(counts[kind]).padStart(6)}  ${kind}: ${faultKinds[kind]}`,
  );
  return [
    '',
    `seed ${report.seed}: ${inflicted} faults (${[...faults].map(([name, count]) => `${name} ${count}`).join(', ')})`,
    `${report.tasks} tasks of ${record.creations.length} keys and ${asked} creates, ${record.lives} lives of clients, ${record.cancels} cancels`,
    `${report.appended} facts appended, ${report.delivered} delivered in ${record.viewings.length} viewings ` +
      `(ws ${record.brought.ws}, sse ${record.brought.sse}, poll ${record.brought.poll} came over the wire)`,
    `${record.actions.length} actions: ${Object.entries(outcomes)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')}`,
    `everything ended ${(report.settledInMs / 1000).toFixed(1)} s after the last fault`,
    ...rows,
    ...(lines.length > 0 ? ['', ...lines.slice(0, LINES_MAX)] : []),
    ...(lines.length > LINES_MAX ? [`… and ${lines.length - LINES_MAX} more`] : []),
  ].join('\n');
}
