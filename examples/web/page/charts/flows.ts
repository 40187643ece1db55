import { createMachine, type AnyStateMachine } from 'xstate';
import suspension from '../../../../docs/charts/suspension.flow.json' with { type: 'json' };
import task from '../../../../docs/charts/task.flow.json' with { type: 'json' };

/** The charts in which intents move, loaded from their JSON. Their states are those of the laws: what is active there is lit here. */
export const flows: Readonly<Record<'task' | 'suspension', AnyStateMachine>> = {
  // Read from data, so that XState cannot infer what it types by.
  task: createMachine(task as never),
  suspension: createMachine(suspension as never),
};

/** What a chart refuses where it is, whatever else holds, by its code: the intents, in the chart's order. */
export function refusedIn(flow: AnyStateMachine, active: ReadonlySet<string>): ReadonlyMap<string, readonly string[]> {
  const refused = new Map<string, string[]>();
  const answered = new Set<string>();
  // Inner states answer before those around them.
  for (const id of [...active].reverse())
    for (const [intent, [first]] of flow.getStateNodeById(id).transitions) {
      if (answered.has(intent) || !first) continue;
      answered.add(intent);
      const refusal = first.actions.find((action) => typeof action === 'object' && action.type === 'refuse');
      if (typeof refusal !== 'object' || first.guard !== undefined || first.actions.length > 1) continue;
      const { code } = refusal.params as { readonly code: string };
      refused.set(code, [...(refused.get(code) ?? []), intent]);
    }
  return refused;
}
