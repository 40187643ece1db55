import type { Intent, ReportIntent } from '../../machines/index.ts';

/** What work reports, or fails by before it begins. */
type Shown = ReportIntent | Extract<Intent, { readonly type: 'task.fail' }>;

const PROGRESS_MAX = 100;
/** Fields that people read. */
const textNames: ReadonlySet<string> = new Set(['message', 'stage', 'reason']);
/** With `u`, a surrogate that stands alone. */
const HALF_CHARACTER = /\p{Surrogate}/gu;

/**
 * A report as it can be shown to people. What is cosmetic is put right instead of ending a task: a finite progress beyond 0 to 100 becomes the
 * nearest of them (`6 * (100 / 6)` is a little more than 100), and half a character, as a text that was cut inside an emoji ends with, becomes
 * the replacement character. Results, questions and whatever else programs read stay as they are, to be refused where they break a rule.
 */
export function presentable<Given extends Shown>(intent: Given): Given {
  if (intent.type === 'report.suspended' || intent.type === 'report.completed') return intent;
  // Only texts and a number change: the type stays.
  const shown = { ...intent, payload: wellFormed(intent.payload) } as Given;
  if (shown.type !== 'report.progress' || !Number.isFinite(shown.payload.progress)) return shown;
  return { ...shown, payload: { ...shown.payload, progress: Math.min(PROGRESS_MAX, Math.max(0, shown.payload.progress)) } };
}

/** The same fields, and in the texts among them no half of a character. */
function wellFormed<Payload extends object>(payload: Payload): Payload {
  const fields = Object.entries(payload).map(([name, value]: [string, unknown]) => [
    name,
    textNames.has(name) && typeof value === 'string' ? value.replace(HALF_CHARACTER, '\uFFFD') : value,
  ]);
  return Object.fromEntries(fields) as Payload;
}
