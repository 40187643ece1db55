/** Sorts the places of items into groups, in their order: those of one key, no more than so many in each. */
export function grouped<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
  most = Number.POSITIVE_INFINITY,
): readonly (readonly number[])[] {
  const groups: number[][] = [];
  const open = new Map<string, number[]>();
  for (const [place, item] of items.entries()) {
    const key = keyOf(item);
    const group = open.get(key);
    if (group && group.length < most) {
      group.push(place);
      continue;
    }
    const own = [place];
    groups.push(own);
    open.set(key, own);
  }
  return groups;
}
