/** What the page and its server say to each other beside the protocol: the demo's switches. */
export interface Switches {
  /** False: upgrades are refused. */
  readonly webSocket: boolean;
  /** False: streams are refused. */
  readonly sse: boolean;
  /** False: every connection is reset. */
  readonly network: boolean;
  /** False: the server's process was killed. */
  readonly server: boolean;
}

/** How many connections were reset. */
export interface CutResponse {
  readonly cut: number;
}

/** A token and its end, in milliseconds since the epoch. */
export interface TokenResponse {
  readonly token: string;
  readonly expiresAt: number;
}
