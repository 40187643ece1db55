// By themselves, since the charts need no other: a page that loads a chart need not load all limits.

/** Questions that one task may have open at once. */
export const OPEN_SUSPENSIONS_MAX = 16;
/** Questions that one task may ask in its life. */
export const SUSPENSIONS_MAX = 1000;
/** Parts that one task may have open at once. */
export const OPEN_PARTS_MAX = 16;
/** Parts that one task may open in its life. */
export const PARTS_MAX = 1000;
