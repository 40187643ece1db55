/** What the address says of what is watched, and how it is shown. */
export const [taskId = '', token = '', shape = ''] = location.hash.slice(1).split('/');
