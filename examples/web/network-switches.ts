import type { HostProcess } from '../report/host-process.ts';
import type { Proxy } from '../report/proxy.ts';
import type { Tokens } from './tokens.ts';
import type { CutResponse, Switches } from './messages.ts';

/** Does to the demo what its page asks for. */
export interface NetworkSwitches {
  state(): Switches;
  /** Resolves when it is done; one change after the other. */
  turn(changes: Partial<Switches>): Promise<Switches>;
  /** Resets every connection to the server. */
  cut(): CutResponse;
  /** Ends every token; connections that were opened with one are reset, as the server does at a token's end. */
  expireTokens(): CutResponse;
}

/** Puts the switches before a host and the proxy that stands in front of it. */
export function createNetworkSwitches(host: HostProcess, proxy: Proxy, tokens: Tokens): NetworkSwitches {
  let network = true;
  let server = true;
  let turns: Promise<unknown> = Promise.resolve();

  const state = (): Switches => ({
    webSocket: proxy.obstacles.webSocket === 'open',
    sse: proxy.obstacles.sse === 'open',
    network,
    server,
  });

  async function apply(changes: Partial<Switches>): Promise<Switches> {
    if (changes.webSocket !== undefined) proxy.obstruct({ webSocket: changes.webSocket ? 'open' : 'refused' });
    if (changes.sse !== undefined) proxy.obstruct({ sse: changes.sse ? 'open' : 'refused' });
    if (changes.network !== undefined) network = changes.network;
    if (!network) proxy.cut();
    if (changes.server !== undefined && changes.server !== server) {
      await (changes.server ? host.restart() : host.kill());
      server = changes.server;
    }
    return state();
  }

  return {
    state,
    turn(changes) {
      const done = turns.then(() => apply(changes));
      turns = done.catch(() => undefined);
      return done;
    },
    cut: () => ({ cut: proxy.cut() }),
    expireTokens() {
      tokens.expireAll();
      return { cut: proxy.cut() };
    },
  };
}
