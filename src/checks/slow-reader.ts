/** The speed at which the slowest client reads that is still waited for, in bytes per second. */
export const LEAST_SPEED: number = 16 * 1024;

/**
 * The most bytes that an operating system holds for a connection, unless somebody has set it up for more. It takes them for
 * a client that reads slowly, and does not tell that the client reads them.
 */
export const MOST_UNSEEN: number = 4 * 1024 * 1024;
