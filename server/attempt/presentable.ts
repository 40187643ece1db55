import type { Intent, ReportIntent } from '../../machines/index.ts';

/** What work reports, or fails by before it begins. */
type Shown = ReportIntent | Extract<Intent, { readonly type: 'task.fail' }>;

const PROGRESS_MAX = 100;
/** Fields that people read. */
const textNames = ['message', 'stage', 'reason'] as const;

/**
 * A report as it can be shown to people. What is cosmetic is put right instead of ending a task: a finite progress beyond 0 to 100 becomes the
 * nearest of them (`6 * (100 / 6)` is a little more than 100), and half a character, as a text that was cut inside an emoji ends with, becomes
 * the replacement character. Results, questions and whatever else programs read stay as they are, to be refused where they break a rule.
 */
export function presentable<Given extends Shown>(intent: Given): Given {
  if (intent.type === 'report.suspended' || intent.type === 'report.completed') return intent;
  const payload = wellFormed(intent.payload);
  if (intent.type === 'report.progress' && Number.isFinite(intent.payload.progress))
    Object.assign(payload, { progress: Math.min(PROGRESS_MAX, Math.max(0, intent.payload.progress)) });
  // Only texts and a number change: the type stays.
  return { ...intent, payload } as Given;
}

/** The same fields, and in the texts among them no half of a character. */
function wellFormed<Payload extends object>(payload: Payload): Payload {
  const shown: Payload & { -readonly [Name in (typeof textNames)[number]]?: unknown } = { ...payload };
  for (const name of textNames) {
    const value = shown[name];
    if (typeof value === 'string') shown[name] = (value as WellFormable).toWellFormed() as typeof value;
  }
  return shown;
}

/** What every string has from ES2024 on, and in all runtimes that we support. */
type WellFormable = string & { toWellFormed(): string };
