import { useEffect, useState } from 'react';
import { useDemo } from '../demo.tsx';

/** What a report is called, asked for once it can be reached; null before. */
export function useReportTitle(taskId: string, isReached: boolean): string | null {
  const { client } = useDemo();
  const [title, setTitle] = useState<string | null>(null);
  useEffect(() => {
    if (!isReached) return undefined;
    const life = new AbortController();
    // Its page shows the task without.
    client.get(taskId, { signal: life.signal }).then(
      (task) => setTitle(task.title ?? null),
      () => undefined,
    );
    return () => life.abort();
  }, [client, taskId, isReached]);
  return title;
}
