/** What the address says of what is watched. */
export const [taskId = '', token = ''] = location.hash.slice(1).split('/');
