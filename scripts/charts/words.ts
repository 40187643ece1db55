import type { AnyTransitionDefinition } from 'xstate';

/** A transition in words: `event [guard] / actions`. What is written before an end for each open question is left out: it is written before every end. */
export function transitionWords({ eventType, guard, actions }: AnyTransitionDefinition): string {
  const condition = guard === undefined ? '' : ` [${nameIn(guard)}]`;
  const effects = actions.filter((action) => !isForEach(action)).map(nameIn);
  return `${eventWord(String(eventType))}${condition}${effects.length === 0 ? '' : ` / ${effects.join(', ')}`}`;
}

/** `xstate.after.heartbeat.transport.open` → `after heartbeat`, `xstate.done.actor.turn` → `turn done`, of whatever actor → `actor done`. */
export function eventWord(type: string): string {
  if (type === '') return 'at once';
  const [prefix, kind, what, actor] = type.split('.');
  if (prefix !== 'xstate') return type;
  if (kind === 'after') return `after ${what}`;
  const who = what === 'actor' ? (actor === '*' ? 'actor' : actor) : what;
  return `${who} ${kind === 'done' ? 'done' : 'failed'}`;
}

function isForEach(action: unknown): boolean {
  return typeof action === 'object' && action !== null && 'params' in action && 'each' in (action.params as object);
}

/** The name in a reference to a guard, an action or an actor, with its parameters where it has some. */
export function nameIn(reference: unknown): string {
  if (typeof reference === 'function') return reference.name;
  if (typeof reference === 'string') return reference;
  // What is neither is the object form of XState: `{ type, params }`.
  const { type, params } = reference as { readonly type: string; readonly params?: Readonly<Record<string, unknown>> };
  return params === undefined || Object.keys(params).length === 0 ? type : `${type}(${Object.values(params).map(String).join(', ')})`;
}
