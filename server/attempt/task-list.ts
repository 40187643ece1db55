/** Tasks that a line of the log names; of more than that it gives the count. */
const NAMED_MAX = 10;

/** What a line of the log says of tasks that something happened to at once: how many, and which, where they are few. */
export function namedTasks(taskIds: readonly string[]): { readonly tasks: number; readonly taskIds?: readonly string[] } {
  return { tasks: taskIds.length, ...(taskIds.length <= NAMED_MAX && { taskIds }) };
}
