import { useEffect, type RefObject } from 'react';

/** How far from the end still counts as being there, in pixels. */
const NEAR = 80;

/** Follows what grows, for those who are at its end; who has scrolled up stays where they read. Measures nothing while text comes: the browser says when it has laid it out. */
export function useScroll(content: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    if (!content.current) return undefined;
    const page = document.documentElement;
    let isAtEnd = true;
    let height = 0;
    const look = (): void => {
      // A page that grew has not been scrolled.
      if (page.scrollHeight === height) isAtEnd = page.scrollTop + page.clientHeight >= page.scrollHeight - NEAR;
    };
    const observer = new ResizeObserver(() => {
      height = page.scrollHeight;
      if (isAtEnd) page.scrollTo({ top: height });
    });
    observer.observe(content.current);
    addEventListener('scroll', look, { passive: true });
    return () => {
      observer.disconnect();
      removeEventListener('scroll', look);
    };
  }, [content]);
}
