import { useSyncExternalStore, type MouseEvent } from 'react';

const listeners = new Set<() => void>();
const tell = (): void => listeners.forEach((listener) => listener());

/** The task that the address names; null on the first page. A link to it works in any tab. */
export function useAddress(): string | null {
  return useSyncExternalStore(subscribe, () => new URLSearchParams(location.search).get('task'));
}

/** The address of a task's page, or of the first page. */
export const addressOf = (taskId: string | null): string => (taskId === null ? '/' : `/?task=${encodeURIComponent(taskId)}`);

/** Goes there without loading the page anew. */
export function goTo(taskId: string | null): void {
  history.pushState(null, '', addressOf(taskId));
  scrollTo(0, 0);
  tell();
}

/** For links: goes there itself, unless the person wants another tab. */
export function follow(event: MouseEvent, taskId: string | null): void {
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  goTo(taskId);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  addEventListener('popstate', listener);
  return () => {
    listeners.delete(listener);
    removeEventListener('popstate', listener);
  };
}
