import type { Arrow, Box, Drawing } from './drawing.ts';
import { isFramed } from './layout.ts';

/**
 * A drawing as a Mermaid state diagram: `event [guard] / actions` on the arrows, and below a state's name what happens in it. Mermaid has no
 * place for such lines in a state with others in it: there they are a note.
 */
export function mermaidOf({ root, arrows }: Drawing): string {
  const begins = root.initial === undefined ? [] : [`  [*] --> ${idOf(root.initial)}`];
  return `${['---', `title: ${root.name}`, '---', 'stateDiagram-v2', ...(isFramed(root) ? stateLines(root, '  ') : [...begins, ...root.states.flatMap((box) => stateLines(box, '  '))]), ...arrows.map(arrowLine)].join('\n')}\n`;
}

function stateLines(box: Box, indent: string): string[] {
  const id = idOf(box.id);
  const words = box.tags.length > 0 ? `${box.name} (${box.tags.join(', ')})` : box.name;
  if (box.states.length === 0)
    return [
      `${indent}state "${words}" as ${id}`,
      ...box.lines.map((line) => `${indent}${id} : ${line}`),
      ...(box.kind === 'final' ? [`${indent}${id} --> [*]`] : []),
    ];
  const inner = `${indent}  `;
  const begins = box.initial === undefined ? [] : [`${inner}[*] --> ${idOf(box.initial)}`];
  const note =
    box.lines.length > 0 ? [`${indent}note right of ${id}`, ...box.lines.map((line) => `${inner}${line}`), `${indent}end note`] : [];
  const states = box.states.flatMap((state, index) => [
    ...(state.kind === 'region' && index > 0 ? [`${inner}--`] : []),
    ...stateLines(state, inner),
  ]);
  return [`${indent}state "${words}" as ${id} {`, ...begins, ...states, `${indent}}`, ...note];
}

function arrowLine({ from, to, lines }: Arrow): string {
  return `  ${idOf(from)} --> ${idOf(to)}${lines.length > 0 ? ` : ${lines.join('<br>')}` : ''}`;
}

function idOf(id: string): string {
  return id.replaceAll(/[^\w]+/g, '_').replace(/_$/, '');
}
