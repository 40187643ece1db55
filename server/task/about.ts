/** What never changes about a task and is small: stored with its state. */
export interface TaskAbout {
  readonly taskId: string;
  readonly taskType: string;
  readonly clientRequestId: string;
  /** The subject that created it. */
  readonly owner: string;
  /** Hex: over type, input and the hashes of the attachments; tells a repeated create from a conflicting one. */
  readonly contentHash: string;
  /** Hex: over owner and clientRequestId. */
  readonly requestKey: string;
  /** The store's time, in milliseconds since the epoch. */
  readonly createdAt: number;
}
