import { createActor, fromCallback, type Subscription } from 'xstate';
import { freshId } from '../clock.ts';
import type { SocketPort } from '../transports/socket.ts';
import { directDesk } from './direct.ts';
import { createGuests } from './guests.ts';
import { createLeader, type Leader } from './leader.ts';
import type { Answer, Message } from './messages.ts';
import { readTabOptions, type TabSocketsOptions } from './options.ts';
import { createFollowerDesk, createSwitchboard, type FollowerDesk } from './switchboard.ts';
import { tabMachine, type TabEvent } from './tab.machine.ts';

/** What a tab is to the others. `alone`: nothing can be shared here. */
export type TabRole = 'following' | 'leading' | 'alone' | 'closed';

/** WebSockets that all tabs of one user have through one of them. Give them to the client as `sockets`. */
export interface TabSockets extends SocketPort {
  /** What this tab is now. */
  getSnapshot(): TabRole;
  /** Calls back after `getSnapshot()` has changed; returns what ends that. */
  subscribe(listener: () => void): () => void;
  /** Hands the connection over to another tab; sockets that are open here are cut. Close the client first. */
  close(): void;
}

/**
 * One connection for all tabs of a browser: the tab that holds the Web Lock has it, the others' sockets go through that one over a
 * `BroadcastChannel`. When it closes or does not answer, sockets are cut, the next tab leads, and every client resumes from its own cursor.
 * Where there are no locks or channels (React Native, Node 20) each tab has its own. Throws with code `INVALID_ARGUMENT` for a name or limit
 * that cannot be right.
 */
export function tabSockets(options: TabSocketsOptions): TabSockets {
  const settings = readTabOptions(options);
  const { sockets, locks, channels, clock, limits } = settings;
  const self = freshId(settings.chance);
  // Tabs that speak another version of the messages are strangers.
  const meeting = `taskbridge.tabs.1.${settings.name}`;
  const guests = createGuests();
  const switchboard = createSwitchboard(meeting, self, channels);
  let leader: Leader | undefined;
  let followed: FollowerDesk | undefined;

  const chart = createActor(
    tabMachine.provide({
      actors: {
        claimLock: claim(false),
        seizeLock: claim(true),
        converse: fromCallback<TabEvent>(({ sendBack }) => switchboard.open((message) => hear(message, sendBack))),
        seekLeader: fromCallback<TabEvent>(() => switchboard.announce('who')),
        askLeader: fromCallback<TabEvent>(() => followed?.ask(guests.numbers)),
        follow: fromCallback<TabEvent, { leader: string }>(({ input }) => {
          followed = createFollowerDesk(self, input.leader, switchboard.inboxOf(input.leader));
          guests.moveTo(followed);
          return () => {
            guests.moveTo(undefined);
            followed = undefined;
          };
        }),
        lead: fromCallback<TabEvent>(() => {
          leader = createLeader(self, guests, settings, switchboard.inboxOf);
          guests.moveTo(leader.desk);
          switchboard.announce('led');
          return () => {
            guests.moveTo(undefined);
            leader?.end();
            leader = undefined;
            switchboard.announce('resigned');
          };
        }),
        sweep: fromCallback<TabEvent>(() => leader?.sweep()),
        connectAlone: fromCallback<TabEvent>(() => {
          guests.moveTo(directDesk(sockets, guests.hear));
          return () => guests.moveTo(undefined);
        }),
      },
      delays: { pulse: limits.pulseMs, silence: limits.silenceMs, sweepTime: Math.ceil(limits.absentMs / 3) },
    }),
    { id: `tab/${self}`, clock, input: { canShare: locks !== undefined && channels !== undefined } },
  );
  chart.start();

  return {
    sendsHeaders: sockets.sendsHeaders,
    ...(sockets.extensions && { extensions: sockets.extensions }),
    open: guests.open,
    getSnapshot: role,
    subscribe(listener) {
      let known = role();
      const subscription: Subscription = chart.subscribe(() => {
        if (role() === known) return;
        known = role();
        listener();
      });
      return () => subscription.unsubscribe();
    },
    close() {
      if (chart.getSnapshot().status === 'active') chart.send({ type: 'tab.close' });
    },
  };

  function claim(steal: boolean) {
    return fromCallback<TabEvent>(({ sendBack }) =>
      locks?.claim(
        meeting,
        {
          held: () => sendBack({ type: 'lock.held' }),
          lost: () => sendBack({ type: 'lock.lost' }),
          refused: () => sendBack({ type: 'lock.refused' }),
        },
        { steal },
      ),
    );
  }

  function hear(message: Message, tell: (event: TabEvent) => void): void {
    const { type, from } = message;
    if (type === 'led') tell({ type: 'leader.named', leader: from });
    else if (type === 'resigned') tell({ type: 'leader.resigned', leader: from });
    else if (type === 'who') {
      if (leader) switchboard.announce('led');
    } else if (type === 'told' || type === 'here') {
      // A former leader that was frozen may go on telling.
      if (followed?.leader === from) read(message, followed, tell);
    } else if (leader) leader.hear(message);
    else if (type === 'open' || type === 'ask') switchboard.announce('resigned');
  }

  function read(answer: Answer, desk: FollowerDesk, tell: (event: TabEvent) => void): void {
    if (answer.type === 'here') {
      for (const socket of answer.gone) guests.hear([socket, 'cut']);
      return tell({ type: 'leader.answered', leader: answer.from });
    }
    for (const word of answer.words) guests.hear(word);
    desk.taken(answer.characters);
  }

  function role(): TabRole {
    const now = chart.getSnapshot();
    return roles.find((one) => now.hasTag(one)) ?? 'following';
  }
}

const roles = ['leading', 'alone', 'closed', 'following'] as const satisfies readonly TabRole[];
