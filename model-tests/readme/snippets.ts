import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the project stands. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** The text of a README's snippet of that name: what stands between its fences. */
export function snippet(name: string, file = 'README.md'): string {
  const readme = readFileSync(join(root, file), 'utf8');
  const text = new RegExp(`<!-- snippet: ${name} -->\\n\`\`\`\\w+\\n([\\s\\S]*?)\`\`\`\\n<!-- end -->`).exec(readme)?.[1];
  if (text === undefined) throw new Error(`${file} has no snippet "${name}".`);
  return text;
}
