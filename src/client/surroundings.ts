/** What a page tells of itself; elsewhere there is nothing of the kind. */
interface Page extends Partial<EventSource> {
  readonly document?: EventSource & { readonly visibilityState: string };
}

interface EventSource {
  addEventListener(type: string, listener: () => void, options: { readonly signal: AbortSignal }): void;
}

/**
 * Watches the page, until the signal is aborted.
 *
 * @param returned - the network is back, or somebody looks at the page again.
 * @param gone - the network is gone.
 */
export function watchSurroundings(returned: () => void, gone: () => void, signal: AbortSignal): void {
  const page = globalThis as unknown as Page;
  const { document } = page;
  page.addEventListener?.("online", returned, { signal });
  page.addEventListener?.("offline", gone, { signal });
  document?.addEventListener(
    "visibilitychange",
    () => {
      if (document.visibilityState === "visible") returned();
    },
    { signal },
  );
}
