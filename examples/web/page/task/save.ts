/** Hands bytes to the browser as a file. */
export function save(content: Blob, fileName: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = fileName;
  link.click();
  // The download has taken its own hold of it by the next turn.
  setTimeout(() => URL.revokeObjectURL(link.href));
}
