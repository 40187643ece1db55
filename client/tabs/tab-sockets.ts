import { createActor, fromCallback, type ActorRefFrom } from 'xstate';
import { freshId } from '../clock.ts';
import type { SocketPort } from '../transports/socket.ts';
import { directBackend } from './direct-backend.ts';
import { createVirtualSockets } from './virtual-sockets.ts';
import { createLeader, type Leader } from './leader.ts';
import type { LeaderReply, TabMessage } from './messages.ts';
import { readTabOptions, type TabSettings, type TabSocketsOptions } from './options.ts';
import { createLeaderBackend, createBroadcastTransport, type LeaderBackend, type BroadcastTransport } from './broadcast-transport.ts';
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
  const { sockets } = settings;
  const tab = new SharingTab(settings);
  return {
    sendsHeaders: sockets.sendsHeaders,
    ...(sockets.extensions && { extensions: sockets.extensions }),
    open: tab.virtualSockets.open,
    getSnapshot: () => tab.role,
    subscribe: (listener) => tab.subscribe(listener),
    close: () => tab.close(),
  };
}

/** One tab among the others: its chart, its virtual sockets, and where those are opened now. */
class SharingTab {
  readonly virtualSockets = createVirtualSockets();
  readonly #settings: TabSettings;
  readonly #self: string;
  /** The name of lock and channel. Tabs whose messages have another version use another. */
  readonly #sharedName: string;
  readonly #broadcast: BroadcastTransport;
  readonly #chart: ActorRefFrom<typeof tabMachine>;
  #leader: Leader | undefined;
  #leaderBackend: LeaderBackend | undefined;

  constructor(settings: TabSettings) {
    const { locks, channels, clock, chance, limits, name, inspect } = settings;
    this.#settings = settings;
    this.#self = freshId(chance);
    this.#sharedName = `taskbridge.tabs.2.${name}`;
    this.#broadcast = createBroadcastTransport(this.#sharedName, this.#self, channels);
    this.#chart = createActor(
      tabMachine.provide({
        actors: this.#actors(),
        delays: { pulse: limits.pulseMs, silence: limits.silenceMs, sweepTime: Math.ceil(limits.absentMs / 3) },
      }),
      { id: `tab/${this.#self}`, clock, input: { canShare: locks !== undefined && channels !== undefined }, ...(inspect && { inspect }) },
    );
    this.#chart.start();
  }

  get role(): TabRole {
    const now = this.#chart.getSnapshot();
    return roles.find((one) => now.hasTag(one)) ?? 'following';
  }

  subscribe(listener: () => void): () => void {
    let known = this.role;
    const subscription = this.#chart.subscribe(() => {
      if (this.role === known) return;
      known = this.role;
      listener();
    });
    return () => subscription.unsubscribe();
  }

  close(): void {
    if (this.#chart.getSnapshot().status === 'active') this.#chart.send({ type: 'tab.close' });
  }

  #actors() {
    const { virtualSockets } = this;
    const broadcast = this.#broadcast;
    return {
      claimLock: this.#claim(false),
      seizeLock: this.#claim(true),
      converse: fromCallback<TabEvent>(({ sendBack }) => broadcast.open((message) => this.#receive(message, sendBack))),
      seekLeader: fromCallback<TabEvent>(() => broadcast.announce('who')),
      askLeader: fromCallback<TabEvent>(() => this.#leaderBackend?.ask(virtualSockets.numbers)),
      follow: fromCallback<TabEvent, { leader: string }>(({ input }) => this.#follow(input.leader)),
      lead: fromCallback<TabEvent>(() => this.#lead()),
      sweep: fromCallback<TabEvent>(() => this.#leader?.sweep()),
      connectAlone: fromCallback<TabEvent>(() => {
        virtualSockets.moveTo(directBackend(this.#settings.sockets, virtualSockets.receive));
        return () => virtualSockets.moveTo(undefined);
      }),
    };
  }

  #claim(steal: boolean) {
    return fromCallback<TabEvent>(({ sendBack }) =>
      this.#settings.locks?.claim(
        this.#sharedName,
        {
          held: () => sendBack({ type: 'lock.held' }),
          lost: () => sendBack({ type: 'lock.lost' }),
          refused: () => sendBack({ type: 'lock.refused' }),
        },
        { steal },
      ),
    );
  }

  #follow(leader: string): () => void {
    this.#leaderBackend = createLeaderBackend(this.#self, leader, this.#broadcast.inboxOf(leader));
    this.virtualSockets.moveTo(this.#leaderBackend);
    return () => {
      this.virtualSockets.moveTo(undefined);
      this.#leaderBackend = undefined;
    };
  }

  #lead(): () => void {
    this.#leader = createLeader(this.#self, this.virtualSockets, this.#settings, this.#broadcast.inboxOf);
    this.virtualSockets.moveTo(this.#leader.backend);
    this.#broadcast.announce('led');
    return () => {
      this.virtualSockets.moveTo(undefined);
      this.#leader?.end();
      this.#leader = undefined;
      this.#broadcast.announce('resigned');
    };
  }

  #receive(message: TabMessage, tell: (event: TabEvent) => void): void {
    const { type, from } = message;
    if (type === 'led') tell({ type: 'leader.named', leader: from });
    else if (type === 'resigned') tell({ type: 'leader.resigned', leader: from });
    else if (type === 'who') {
      this.#leader?.whenAlive(() => this.#broadcast.announce('led'));
    } else if (type === 'told' || type === 'here') {
      // A former leader that was frozen may go on telling.
      if (this.#leaderBackend?.leader === from) this.#readReply(message, this.#leaderBackend, tell);
    } else if (this.#leader) this.#leader.receive(message);
    else if (type === 'open' || type === 'ask') this.#broadcast.announce('resigned');
  }

  #readReply(reply: LeaderReply, backend: LeaderBackend, tell: (event: TabEvent) => void): void {
    if (reply.type === 'here') {
      for (const socket of reply.gone) this.virtualSockets.receive([socket, 'cut']);
      return tell({ type: 'leader.answered', leader: reply.from });
    }
    for (const message of reply.words) this.virtualSockets.receive(message);
    backend.taken(reply.characters);
  }
}

const roles = ['leading', 'alone', 'closed', 'following'] as const satisfies readonly TabRole[];
