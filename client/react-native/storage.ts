/** The part of `AsyncStorage` (`@react-native-async-storage/async-storage`, versions 1 to 3) that is used. */
export interface AsyncTextStorage {
  getItem(key: string): Promise<string | null>;
  setItem(key: string, text: string): Promise<unknown>;
  removeItem(key: string): Promise<unknown>;
  getAllKeys(): Promise<readonly string[]>;
}

/** The last turn at each storage, so that stores over the same one wait for each other. */
const turns = new WeakMap<object, Promise<unknown>>();

/** Does the work when all that was asked of this storage before is done, however that ended. */
export function inTurn<T>(storage: AsyncTextStorage, work: () => Promise<T>): Promise<T> {
  const next = (turns.get(storage) ?? Promise.resolve()).then(work, work);
  turns.set(storage, next);
  return next;
}
