import type { ClientLimits } from 'taskbridge/client';

/** No two the same, so that a timer is known by its time. */
export const limits: Partial<ClientLimits> = {
  openMs: 1_009,
  silentMs: 211,
  muteMs: 524,
  livenessMs: 2_003,
  pollWaitMs: 3_000,
  pollGraceMs: 1,
  emptyPauseMs: 4_001,
  climbIntervalMs: 7,
  provingMs: 8_009,
  renewBeforeMs: 1,
  commandTimeoutMs: 10_007,
  undeliveredBytesMax: 12_000,
};
export const RETRY_MS = 5_003;
/** How long credentials are good. */
export const GOOD_MS = 40_000;

/** The charts' delays, and two timers beside it, by what they are set to. */
export const timesOf = {
  reconnectBackoff: [RETRY_MS, 7_000],
  climbInterval: [7, 14, 28, 56, 112],
  provingTime: [8_009],
  probeTimeout: [3_012],
  openTimeout: [1_009],
  silentTime: [211],
  muteTime: [313],
  livenessTimeout: [2_003],
  pollTimeout: [3_001],
  emptyPause: [4_001],
  renewal: [GOOD_MS - 1],
  commandTimeout: [10_007],
} as const satisfies Record<string, readonly number[]>;

export type TimerName = keyof typeof timesOf;
export const delayNames = [
  'reconnectBackoff',
  'climbInterval',
  'provingTime',
  'probeTimeout',
  'openTimeout',
  'silentTime',
  'muteTime',
  'livenessTimeout',
  'pollTimeout',
  'emptyPause',
] as const satisfies readonly TimerName[];
