/**
 * Below which paths nobody but us answers, so that what is no route there gets our 404: below a prefix with plain text in it; where the
 * prefix has none, below the plain text that each route begins with. Routes of names alone leave everything else to the host.
 */
export function ourPaths(prefix: string, routes: readonly string[]): readonly string[] {
  if (hasPlainText(prefix)) return [prefix];
  return [...new Set(routes.map(plainBeginning).filter(hasPlainText))];
}

/** The names that a path begins with, and the plain text after them. */
function plainBeginning(path: string): string {
  return /^(\/:[^/]+)*(\/[^:/][^/]*)*/.exec(path)?.[0] ?? '';
}

function hasPlainText(path: string): boolean {
  return /\/[^:/]/.test(path);
}

/**
 * True where the other path has a word where this one has the id of a task: no task is called `types`. Of two paths that a request has, the one with
 * the word is meant, whatever the method.
 */
export function isShadowed(path: string, other: string): boolean {
  const words = other.split('/');
  const segments = path.split('/');
  return segments.length === words.length && segments.some((segment, index) => segment === ':taskId' && !words[index]?.startsWith(':'));
}
