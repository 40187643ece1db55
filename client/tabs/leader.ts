import type { Channel } from './channels.ts';
import type { Desk, Guests } from './guests.ts';
import type { Request, Word } from './messages.ts';
import type { TabSettings } from './options.ts';
import { createOutlet, type Outlet } from './outlet.ts';
import { createRelay } from './relay.ts';

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
  const { sockets, clock, limits } = settings;
  const tabs = new Map<string, Tab>();
  let isOver = false;
  const own = createOutlet((words) => {
    for (const word of words) if (!isOver) guests.hear(word);
  });
  const relay = createRelay({
    sockets,
    socketsMax: limits.socketsMax,
    tell: (tab, word) => (tab === self ? own : tabs.get(tab)?.outlet)?.add(word),
  });

  function meet(name: string): Tab {
    const known = tabs.get(name);
    if (known) return known;
    const inbox = inboxOf(name);
    const tab: Tab = {
      inbox,
      outlet: createOutlet((words, characters) => post(name, tab, words, characters)),
      heardAt: clock.now(),
      untakenCharacters: 0,
    };
    tabs.set(name, tab);
    return tab;
  }

  function post(name: string, tab: Tab, words: readonly Word[], characters: number): void {
    if (isOver || tabs.get(name) !== tab) return;
    // One piece may always be on its way, however large.
    if (tab.untakenCharacters > 0 && tab.untakenCharacters + characters > limits.untakenCharactersMax) {
      const cut = [...relay.socketsOf(name)].map((socket): Word => [socket, 'cut']);
      relay.drop(name);
      return tab.inbox.post({ type: 'told', from: self, words: cut, characters: 0 });
    }
    tab.untakenCharacters += characters;
    tab.inbox.post({ type: 'told', from: self, words, characters });
  }

  function forget(name: string): void {
    relay.drop(name);
    tabs.get(name)?.inbox.close();
    tabs.delete(name);
  }

  function refuse({ from, socket }: Request & { type: 'open' }): void {
    const inbox = inboxOf(from);
    inbox.post({ type: 'told', from: self, words: [[socket, 'refused', 429, '{}', undefined]], characters: 0 });
    inbox.close();
  }

  return {
    get tabs() {
      return tabs.size;
    },
    desk: {
      open: (socket, request) => relay.open(self, socket, request),
      send: (socket, text) => relay.send(self, socket, text),
      close: (socket) => relay.close(self, socket),
      leave: () => relay.drop(self),
    },
    hear(request) {
      const { from } = request;
      if (request.type === 'left') return forget(from);
      if (request.type === 'open' && !tabs.has(from) && tabs.size >= limits.tabsMax) return refuse(request);
      const tab = meet(from);
      tab.heardAt = clock.now();
      if (request.type === 'open') relay.open(from, request.socket, request.request);
      else if (request.type === 'send') relay.send(from, request.socket, request.text);
      else if (request.type === 'close') relay.close(from, request.socket);
      else if (request.type === 'taken') tab.untakenCharacters = Math.max(0, tab.untakenCharacters - request.characters);
      else {
        const here = relay.socketsOf(from);
        tab.inbox.post({ type: 'here', from: self, gone: request.sockets.filter((socket) => !here.has(socket)) });
      }
    },
    sweep() {
      for (const [name, { heardAt }] of tabs) if (clock.now() - heardAt > limits.absentMs) forget(name);
    },
    end() {
      isOver = true;
      relay.end();
      for (const { inbox } of tabs.values()) inbox.close();
      tabs.clear();
    },
  };
}
