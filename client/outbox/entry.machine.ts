import { setup } from 'xstate';

/** What happens to one command of an outbox. */
export type EntryEvent = { readonly type: 'entry.sent' | 'entry.answered' | 'entry.refused' | 'entry.aged' | 'entry.withdrawn' };

/** What became of one command: the law that every tab keeps, whoever of them writes. */
export const entryMachine = setup({
  types: {} as { context: Record<never, never>; events: EntryEvent; tags: 'pending' | 'settled' },
}).createMachine({
  id: 'entry',
  description: 'One command, from the moment it is kept until somebody dismisses what became of it.',
  context: {},
  initial: 'queued',
  states: {
    queued: {
      description: 'Kept, and never handed to the network.',
      tags: ['pending'],
      on: {
        'entry.sent': { description: 'Noted before it is sent, so that a crash cannot hide it.', target: 'sending' },
        'entry.refused': { description: 'Without being sent: the start of its task failed.', target: 'refused' },
        'entry.aged': { target: 'expired' },
        'entry.withdrawn': { target: 'withdrawn' },
      },
    },
    sending: {
      description: 'Handed to the network at least once: the server may have it. Sent again, with the same id, until there is an answer.',
      tags: ['pending'],
      on: {
        'entry.answered': { target: 'done' },
        'entry.refused': { target: 'refused' },
        'entry.aged': { target: 'expired' },
        'entry.withdrawn': { target: 'withdrawn' },
      },
    },
    done: { description: 'The server has taken it.', type: 'final', tags: ['settled'] },
    refused: { description: 'There is no use in sending it again.', type: 'final', tags: ['settled'] },
    expired: { description: 'Older than it may become.', type: 'final', tags: ['settled'] },
    withdrawn: { description: 'Taken back.', type: 'final', tags: ['settled'] },
  },
});
