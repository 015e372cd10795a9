const ends = new Set<() => void>();

function endAll(): void {
  for (const end of ends) end();
  ends.clear();
}

process.once("exit", endAll);
// Vitest ends its workers with this signal, for which Node.js does not emit "exit".
process.once("SIGTERM", () => {
  endAll();
  process.kill(process.pid, "SIGTERM");
});

/**
 * Ends what must not outlive this process, such as a child or a folder, if that has not been done before.
 *
 * @returns a function that says that it has been done.
 */
export function atExit(end: () => void): () => void {
  ends.add(end);
  return () => void ends.delete(end);
}
