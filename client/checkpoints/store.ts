/** Where checkpoints are kept: text by key. A failure is reported and survived; the next run then begins earlier. */
export interface CheckpointStore {
  read(key: string): Promise<string | undefined>;
  write(key: string, text: string): Promise<void>;
  remove(key: string): Promise<void>;
}

/** Keeps checkpoints as long as the process lives. */
export function memoryCheckpoints(): CheckpointStore {
  const texts = new Map<string, string>();
  return {
    read: async (key) => texts.get(key),
    write: async (key, text) => void texts.set(key, text),
    remove: async (key) => void texts.delete(key),
  };
}
