/** What kind of task one is, which its plan and its lists go by. Texts as they stand in keys, see {@link escaped}. */
export interface Kind {
  readonly type: string;
  readonly owner: string;
  /** Undefined for one that was written before there were states, and not since. */
  readonly state: string | undefined;
}

/** The kind of a task as one text, `<type>;<owner>;<state>`. */
export function textOfKind({ type, owner, state }: Kind): string {
  return state === undefined ? `${type};${owner}` : `${type};${owner};${state}`;
}

/** Reads a kind; undefined for a task of 0.1.0, which has none. */
export function parseKind(text: string | undefined): Kind | undefined {
  if (!text) return undefined;
  const [type = '', owner = '', state] = text.split(';');
  return { type, owner, state };
}

/** The name of the list of a state and a type, `<state>:<type>`. */
export function listName(state: string, type: string): string {
  return `${state}:${type}`;
}

/** Reads the name of a list: the state and the type as they are called. */
export function parseListName(list: string): { readonly state: string; readonly taskType: string } {
  const at = list.indexOf(':');
  return { state: plain(list.slice(0, at)), taskType: plain(list.slice(at + 1)) };
}

/** A type or an owner as it stands in a kind, and in the names of queues: with no `;` in it. */
export function escaped(text: string): string {
  return text.replace(/[%;]/g, encodeURIComponent);
}

/** A state as it stands in a kind, and in the names of lists: with no `:` in it either. */
export function escapedState(state: string): string {
  return state.replace(/[%;:]/g, encodeURIComponent);
}

/** What was escaped, as it is called. */
export function plain(text: string): string {
  return text.replace(/%(?:25|3B|3A)/g, decodeURIComponent);
}
