/**
 * Returns a time for distances, in milliseconds since some moment. It is monotonic where the platform has such a clock:
 * setting the wall clock must not end a healthy connection.
 */
export const now = (): number => ((globalThis.performance as Pick<typeof Date, "now"> | undefined) ?? Date).now();
