/** Why a socket closes, or one subscription of several ends. Source: RFC 6455, section 7.4, and the protocol. */
export const closeCodes = {
  /** Nothing follows. */
  ended: 1000,
  notText: 1003,
  /** What a client sees of a socket that was cut: a loss. Never in a Close frame. */
  cut: 1006,
  /** Final for clients. */
  refused: 1008,
  /** No room on this socket; another one may have some. */
  full: 1013,
} as const;
