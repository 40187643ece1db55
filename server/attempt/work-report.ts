import type { ContractType } from '../../machines/contract/index.ts';
import { checkedReport } from '../contract/report-check.ts';
import { TaskBridgeError } from '../errors.ts';
import type { WorkReport } from '../ports/executor.ts';
import type { CommandProcessor } from '../task/command-processor.ts';
import { decision } from '../task/early-decision.ts';
import { isPartReport } from './report-intents.ts';

/**
 * The report as the contract of its task makes it; the very report, at once, where nothing is to be done. One that does not fit is refused as a whole: an
 * inspector is shown that, where this process knows the task.
 */
export function fittingReport(
  processor: CommandProcessor,
  taskId: string,
  type: ContractType | undefined,
  given: WorkReport,
): WorkReport | Promise<WorkReport> {
  const refused = (error: unknown): never => {
    if (error instanceof TaskBridgeError) show(processor, taskId, given, error);
    throw error;
  };
  try {
    const checked = checkedReport(type, given);
    return checked instanceof Promise ? checked.catch(refused) : checked;
  } catch (error) {
    return refused(error);
  }
}

function show(processor: CommandProcessor, taskId: string, { intents }: WorkReport, { code }: TaskBridgeError): void {
  const known = processor.known(taskId);
  if (!known) return;
  const entries = () => intents.flatMap((intent) => (isPartReport(intent) ? [] : [decision('work', intent, code)]));
  processor.decided(() => ({ before: known, after: known, entries: entries() }));
}
