import type { Channel } from './channels.ts';
import type { Desk, Guests } from './guests.ts';
import type { Request, Word } from './messages.ts';
import type { TabSettings } from './options.ts';
import { createOutlet, type Outlet } from './outlet.ts';
import { createRelay, type Relay } from './relay.ts';

/** A tab that leads: serves its own virtual sockets and those of the others. */
export interface Leader {
  /** How many other tabs have sockets here. */
  readonly tabs: number;
  /** For the leading tab's own. */
  readonly desk: Desk;
  hear(request: Request): void;
  /** Forgets tabs that were not heard for `absentMs`. */
  sweep(): void;
  end(): void;
}

interface Tab {
  readonly inbox: Channel;
  readonly outlet: Outlet;
  heardAt: number;
  untakenCharacters: number;
}

/** Takes office. `inboxOf` opens the inbox of another tab. */
export function createLeader(self: string, guests: Guests, settings: TabSettings, inboxOf: (tab: string) => Channel): Leader {
  return new LeadingTab(self, guests, settings, inboxOf);
}

class LeadingTab implements Leader {
  readonly desk: Desk;
  readonly #self: string;
  readonly #settings: TabSettings;
  readonly #inboxOf: (tab: string) => Channel;
  readonly #tabs = new Map<string, Tab>();
  readonly #relay: Relay;
  #isOver = false;

  constructor(self: string, guests: Guests, settings: TabSettings, inboxOf: (tab: string) => Channel) {
    this.#self = self;
    this.#settings = settings;
    this.#inboxOf = inboxOf;
    const own = createOutlet((words) => {
      for (const word of words) if (!this.#isOver) guests.hear(word);
    });
    const relay = createRelay({
      sockets: settings.sockets,
      socketsMax: settings.limits.socketsMax,
      tell: (tab, word) => (tab === self ? own : this.#tabs.get(tab)?.outlet)?.add(word),
    });
    this.#relay = relay;
    this.desk = {
      open: (socket, request) => relay.open(self, socket, request),
      send: (socket, text) => relay.send(self, socket, text),
      close: (socket) => relay.close(self, socket),
      leave: () => relay.drop(self),
    };
  }

  get tabs(): number {
    return this.#tabs.size;
  }

  hear(request: Request): void {
    const { from } = request;
    if (request.type === 'left') return this.#forget(from);
    if (request.type === 'open' && !this.#tabs.has(from) && this.#tabs.size >= this.#settings.limits.tabsMax) return this.#refuse(request);
    const tab = this.#meet(from);
    tab.heardAt = this.#settings.clock.now();
    if (request.type === 'open') this.#relay.open(from, request.socket, request.request);
    else if (request.type === 'send') this.#relay.send(from, request.socket, request.text);
    else if (request.type === 'close') this.#relay.close(from, request.socket);
    else if (request.type === 'taken') tab.untakenCharacters = Math.max(0, tab.untakenCharacters - request.characters);
    else {
      const here = this.#relay.socketsOf(from);
      tab.inbox.post({ type: 'here', from: this.#self, gone: request.sockets.filter((socket) => !here.has(socket)) });
    }
  }

  sweep(): void {
    const { clock, limits } = this.#settings;
    for (const [name, { heardAt }] of this.#tabs) if (clock.now() - heardAt > limits.absentMs) this.#forget(name);
  }

  end(): void {
    this.#isOver = true;
    this.#relay.end();
    for (const { inbox } of this.#tabs.values()) inbox.close();
    this.#tabs.clear();
  }

  #meet(name: string): Tab {
    const known = this.#tabs.get(name);
    if (known) return known;
    const tab: Tab = {
      inbox: this.#inboxOf(name),
      outlet: createOutlet((words, characters) => this.#post(name, tab, words, characters)),
      heardAt: this.#settings.clock.now(),
      untakenCharacters: 0,
    };
    this.#tabs.set(name, tab);
    return tab;
  }

  #post(name: string, tab: Tab, words: readonly Word[], characters: number): void {
    if (this.#isOver || this.#tabs.get(name) !== tab) return;
    // One piece may always be on its way, however large.
    if (tab.untakenCharacters > 0 && tab.untakenCharacters + characters > this.#settings.limits.untakenCharactersMax) {
      const cut = [...this.#relay.socketsOf(name)].map((socket): Word => [socket, 'cut']);
      this.#relay.drop(name);
      return tab.inbox.post({ type: 'told', from: this.#self, words: cut, characters: 0 });
    }
    tab.untakenCharacters += characters;
    tab.inbox.post({ type: 'told', from: this.#self, words, characters });
  }

  #forget(name: string): void {
    this.#relay.drop(name);
    this.#tabs.get(name)?.inbox.close();
    this.#tabs.delete(name);
  }

  #refuse({ from, socket }: Request & { type: 'open' }): void {
    const inbox = this.#inboxOf(from);
    inbox.post({ type: 'told', from: this.#self, words: [[socket, 'refused', 429, '{}', undefined]], characters: 0 });
    inbox.close();
  }
}
