import { isJson } from './json.ts';
import type { RowKey } from './keys.ts';

/** Names as the rows have them. */
export interface NameCheck {
  /** Takes a row of names or of owners, in the order of the keys. */
  take(key: RowKey, value: Buffer): void;
  /** What is wrong with the name of a task, as lines; `ownerMark` is null where nobody has said whose it is. To be called between names and owners. */
  task(taskId: string, requestKey: string, ownerMark: string | null): readonly string[];
  /** What is wrong with all that is left; and how many names lead to no task, which is well: whoever meets one forgets it. */
  finish(): { readonly faults: readonly string[]; readonly withoutTask: number };
}

interface SeenName {
  readonly ownerMark: string;
  readonly at: string;
  isListed: boolean;
}

/** Makes a check of names: each stands in two rows, belongs to an owner who has a record, and every task that says whose it is has one. */
export function createNameCheck(): NameCheck {
  const names = new Map<string, SeenName>();
  const owners = new Set<string>();
  const faults: string[] = [];

  function list(ownerMark: string, at: string, requestKey: string): void {
    owners.add(ownerMark);
    const name = names.get(requestKey);
    if (name?.ownerMark === ownerMark && name.at === at) name.isListed = true;
    else faults.push(`Request key ${requestKey} is named at ${at}, and has no row that says so.`);
  }

  return {
    take([kind, ownerMark = '', ...rest], value) {
      const [first = '', second = ''] = rest.map(String);
      if (kind === 'a') names.set(first, { ownerMark: String(ownerMark), at: value.toString(), isListed: false });
      else if (kind === 'b') list(String(ownerMark), first, second);
      else if (!isJson(value)) faults.push(`What owner ${ownerMark} has is no JSON.`);
      else owners.delete(String(ownerMark));
    },
    task(taskId, requestKey, ownerMark) {
      const name = names.get(requestKey);
      names.delete(requestKey);
      if (name && !name.isListed) return [`Task ${taskId} was named at ${name.at}, and is not in its owner's list.`];
      if (ownerMark !== null && name?.ownerMark !== ownerMark) return [`Task ${taskId} has no name.`];
      return [];
    },
    finish() {
      const isWhole = ([, { isListed }]: readonly [string, SeenName]): boolean => isListed;
      const left = [...names];
      for (const [requestKey, { at }] of left.filter((name) => !isWhole(name)))
        faults.push(`Request key ${requestKey} was named at ${at}, and is in no list.`);
      for (const ownerMark of owners) faults.push(`Owner ${ownerMark} has names and no record.`);
      return { faults, withoutTask: left.filter(isWhole).length };
    },
  };
}
