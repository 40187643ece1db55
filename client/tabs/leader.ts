import { monotonicNow } from '../clock.ts';
import type { Channel } from './channels.ts';
import type { SocketBackend, VirtualSockets } from './virtual-sockets.ts';
import type { FollowerRequest, SocketMessage } from './messages.ts';
import type { TabSettings } from './options.ts';
import { createHeardSockets, type HeardSockets } from './heard-sockets.ts';
import { createMessageBatcher, type MessageBatcher } from './message-batcher.ts';
import { createSocketMultiplexer, type SocketMultiplexer } from './socket-multiplexer.ts';

/** A tab that leads: serves its own virtual sockets and those of the others. */
export interface Leader {
  /** How many other tabs have sockets here. */
  readonly tabs: number;
  /** For the leading tab's own. */
  readonly backend: SocketBackend;
  receive(request: FollowerRequest): void;
  /** Calls back soon, unless this page is frozen or its sockets are dead. */
  whenAlive(say: () => void): void;
  /** Forgets tabs that were not heard for `absentMs`. */
  sweep(): void;
  end(): void;
}

interface Tab {
  readonly inbox: Channel;
  readonly batcher: MessageBatcher;
  /** In monotonic time. */
  heardAt: number;
  untakenCharacters: number;
}

/** Begins to lead. `inboxOf` opens the inbox of another tab. */
export function createLeader(
  self: string,
  virtualSockets: VirtualSockets,
  settings: TabSettings,
  inboxOf: (tab: string) => Channel,
): Leader {
  return new LeadingTab(self, virtualSockets, settings, inboxOf);
}

class LeadingTab implements Leader {
  readonly backend: SocketBackend;
  readonly #self: string;
  readonly #settings: TabSettings;
  readonly #inboxOf: (tab: string) => Channel;
  readonly #tabs = new Map<string, Tab>();
  readonly #sockets: HeardSockets;
  readonly #multiplexer: SocketMultiplexer;
  /** What is to be said when a timer of this page rings, by whom it is for. */
  readonly #toSay = new Map<string, () => void>();
  #saying: unknown;
  #isOver = false;

  constructor(self: string, virtualSockets: VirtualSockets, settings: TabSettings, inboxOf: (tab: string) => Channel) {
    this.#self = self;
    this.#settings = settings;
    this.#inboxOf = inboxOf;
    const own = createMessageBatcher((messages) => {
      for (const message of messages) if (!this.#isOver) virtualSockets.receive(message);
    });
    this.#sockets = createHeardSockets(settings.sockets, () => this.#time);
    const multiplexer = createSocketMultiplexer({
      sockets: this.#sockets.port,
      socketsMax: settings.limits.socketsMax,
      tell: (tab, message) => (tab === self ? own : this.#tabs.get(tab)?.batcher)?.add(message),
    });
    this.#multiplexer = multiplexer;
    this.backend = {
      open: (socket, request) => multiplexer.open(self, socket, request),
      send: (socket, text) => multiplexer.send(self, socket, text),
      close: (socket) => multiplexer.close(self, socket),
      leave: () => multiplexer.drop(self),
    };
  }

  get tabs(): number {
    return this.#tabs.size;
  }

  receive(request: FollowerRequest): void {
    const { from } = request;
    if (request.type === 'left') return this.#forget(from);
    if (request.type === 'open' && !this.#tabs.has(from) && this.#tabs.size >= this.#settings.limits.tabsMax) return this.#refuse(request);
    const tab = this.#tabOf(from);
    tab.heardAt = this.#time;
    if (request.type === 'open') this.#multiplexer.open(from, request.socket, request.request);
    else if (request.type === 'send') this.#multiplexer.send(from, request.socket, request.text);
    else if (request.type === 'close') this.#multiplexer.close(from, request.socket);
    else if (request.type === 'taken') tab.untakenCharacters = Math.max(0, tab.untakenCharacters - request.characters);
    else
      this.#whenAlive(from, () => {
        // It may have left meanwhile, for a leader that was awake.
        if (this.#tabs.get(from) !== tab) return;
        const known = this.#multiplexer.socketsOf(from);
        tab.inbox.post({ type: 'here', from: this.#self, gone: request.sockets.filter((socket) => !known.has(socket)) });
      });
  }

  whenAlive(say: () => void): void {
    this.#whenAlive('', say);
  }

  sweep(): void {
    const { limits } = this.#settings;
    const now = this.#time;
    for (const [name, { heardAt }] of this.#tabs) if (now - heardAt > limits.absentMs) this.#forget(name);
  }

  end(): void {
    this.#isOver = true;
    this.#settings.clock.clearTimeout(this.#saying);
    this.#multiplexer.end();
    for (const { inbox } of this.#tabs.values()) inbox.close();
    this.#tabs.clear();
  }

  /** A frozen page hears its channels, while none of its timers rings and none of its sockets is heard: what it says by a timer proves that it lives. */
  #whenAlive(whom: string, say: () => void): void {
    if (this.#isOver) return;
    const { clock, limits } = this.#settings;
    const isWaiting = this.#toSay.size > 0;
    this.#toSay.set(whom, say);
    if (isWaiting) return;
    this.#saying = clock.setTimeout(() => {
      const all = [...this.#toSay.values()];
      this.#toSay.clear();
      if (this.#sockets.unheardMs <= limits.deafMs) for (const each of all) each();
    }, 0);
  }

  /** Monotonic: no date that is set makes a tab absent. */
  get #time(): number {
    return monotonicNow(this.#settings.clock);
  }

  #tabOf(name: string): Tab {
    const known = this.#tabs.get(name);
    if (known) return known;
    const tab: Tab = {
      inbox: this.#inboxOf(name),
      batcher: createMessageBatcher((messages, characters) => this.#post(name, tab, messages, characters)),
      heardAt: this.#time,
      untakenCharacters: 0,
    };
    this.#tabs.set(name, tab);
    return tab;
  }

  #post(name: string, tab: Tab, messages: readonly SocketMessage[], characters: number): void {
    if (this.#isOver || this.#tabs.get(name) !== tab) return;
    // One piece may always be on its way, however large.
    if (tab.untakenCharacters > 0 && tab.untakenCharacters + characters > this.#settings.limits.untakenCharactersMax) {
      const cut = [...this.#multiplexer.socketsOf(name)].map((socket): SocketMessage => [socket, 'cut']);
      this.#multiplexer.drop(name);
      return tab.inbox.post({ type: 'told', from: this.#self, words: cut, characters: 0 });
    }
    tab.untakenCharacters += characters;
    tab.inbox.post({ type: 'told', from: this.#self, words: messages, characters });
  }

  #forget(name: string): void {
    this.#multiplexer.drop(name);
    this.#tabs.get(name)?.inbox.close();
    this.#tabs.delete(name);
  }

  #refuse({ from, socket }: FollowerRequest & { type: 'open' }): void {
    const inbox = this.#inboxOf(from);
    inbox.post({ type: 'told', from: this.#self, words: [[socket, 'refused', 429, '{}', undefined]], characters: 0 });
    inbox.close();
  }
}
