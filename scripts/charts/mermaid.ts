import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';

/** The literal of a chart as JSON. Functions that an acting chart names (context, input, output) appear as `{ "$function": name }`. */
export function chartJson(machine: AnyStateMachine): string {
  // `setup` adds a `schemas` key to the literal; it holds types only.
  const { schemas: _, ...literal } = machine.config as Record<string, unknown>;
  const text = JSON.stringify(literal, (_key, value: unknown) => (typeof value === 'function' ? { $function: value.name } : value), 2);
  return `${text}\n`;
}

/** A chart as a Mermaid state diagram: `event [guard] / actions` on arrows, and inside a state or its note where nothing moves. */
export function chartMermaid(machine: AnyStateMachine): string {
  const lines = ['---', `title: ${machine.id}`, '---', 'stateDiagram-v2'];
  writeState(machine.root, '  ', lines);
  const arrows: string[] = [];
  for (const node of descendants(machine.root)) writeTransitions(node, arrows);
  return `${[...lines, ...arrows.map((line) => `  ${line}`)].join('\n')}\n`;
}

function writeState(node: AnyStateNode, indent: string, lines: string[]): void {
  const children = Object.values(node.states);
  lines.push(`${indent}state "${title(node)}" as ${name(node)}${children.length > 0 ? ' {' : ''}`);
  if (children.length === 0) return;
  const inner = `${indent}  `;
  const parallel = node.type === 'parallel';
  if (!parallel) for (const target of node.initial.target) lines.push(`${inner}[*] --> ${name(target)}`);
  children.forEach((child, index) => {
    if (parallel && index > 0) lines.push(`${inner}--`);
    writeState(child, inner, lines);
    if (child.type === 'final') lines.push(`${inner}${name(child)} --> [*]`);
  });
  lines.push(`${indent}}`);
}

function writeTransitions(node: AnyStateNode, lines: string[]): void {
  const staying: string[] = [];
  for (const effect of [...actionNames('entry', node.entry), ...actionNames('exit', node.exit)]) staying.push(effect);
  for (const { src } of node.invoke) staying.push(`invoke ${src as string}`);
  for (const transition of transitionsOf(node)) {
    if (!transition.target) staying.push(label(transition));
    for (const target of transition.target ?? []) lines.push(`${name(node)} --> ${name(target)} : ${label(transition)}`);
  }
  if (staying.length === 0) return;
  lines.push(`note right of ${name(node)}`, ...staying.map((line) => `  ${line}`), 'end note');
}

function transitionsOf(node: AnyStateNode): readonly AnyTransitionDefinition[] {
  const onEvents = [...node.transitions.values()].flat();
  return [...onEvents, ...(node.always ?? [])];
}

function label({ eventType, guard, actions }: AnyTransitionDefinition): string {
  const event = eventType === '' ? 'always' : eventName(String(eventType));
  const condition = guard === undefined ? '' : ` [${referenceName(guard)}]`;
  const effects = actions.length === 0 ? '' : ` / ${actions.map(referenceName).join(', ')}`;
  return `${event}${condition}${effects}`;
}

/** `xstate.after.heartbeat.transport.open` → `after heartbeat`, `xstate.done.actor.0.x` → `done`; others as they are. */
function eventName(type: string): string {
  const [prefix, kind, what] = type.split('.');
  if (prefix !== 'xstate') return type;
  return kind === 'after' ? `after ${what}` : `${kind}${what === 'actor' ? '' : ` ${what}`}`;
}

function actionNames(when: string, actions: readonly unknown[]): string[] {
  // Functions here are XState's own: they start and stop the timers of `after`.
  return actions.flatMap((action) => (typeof action === 'function' ? [] : [`${when} / ${referenceName(action)}`]));
}

function referenceName(reference: unknown): string {
  if (typeof reference === 'string') return reference;
  if (typeof reference === 'function') return reference.name;
  // What is neither is the object form of XState: `{ type, params }`.
  const { type, params } = reference as { readonly type: string; readonly params?: Readonly<Record<string, unknown>> };
  return params === undefined ? type : `${type}(${Object.values(params).map(String).join(', ')})`;
}

function descendants(node: AnyStateNode): AnyStateNode[] {
  return [node, ...Object.values(node.states).flatMap(descendants)];
}

function name(node: AnyStateNode): string {
  return [node.machine.id, ...node.path].join('_');
}

function title(node: AnyStateNode): string {
  return node.tags.length > 0 ? `${node.key} (${node.tags.join(', ')})` : node.key;
}
