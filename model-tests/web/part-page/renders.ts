/** A component that has rendered. */
export interface Rendered {
  readonly who: string;
  /** The time of the frame, by the browser's own count. */
  readonly frame: number;
  /** What it showed of the part. */
  readonly characters: number;
}
