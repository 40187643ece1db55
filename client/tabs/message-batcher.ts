import type { SocketMessage } from './messages.ts';

/** Gathers what one turn has to tell somebody, and hands it on in one piece. */
export interface MessageBatcher {
  add(message: SocketMessage): void;
}

/** `flush` is called in a later microtask, with everything since the last time and how many characters that is. */
export function createMessageBatcher(flush: (messages: readonly SocketMessage[], characters: number) => void): MessageBatcher {
  let messages: SocketMessage[] = [];
  return {
    add(message) {
      messages.push(message);
      if (messages.length > 1) return;
      queueMicrotask(() => {
        const all = messages;
        messages = [];
        flush(
          all,
          all.reduce((sum, [, , text]) => sum + (typeof text === 'string' ? text.length : 0), 0),
        );
      });
    },
  };
}
