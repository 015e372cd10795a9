/** The part of a page's global object that is watched. Outside of pages none of it exists. */
interface Page extends Partial<PageEvents> {
  readonly document?: PageEvents & { readonly visibilityState: string };
}

interface PageEvents {
  addEventListener(type: string, listener: () => void, options: { readonly signal: AbortSignal }): void;
}

/**
 * Watches the page until the signal is aborted.
 *
 * @param returned - called when the network is back, or when the page becomes visible again.
 * @param gone - called when the network is gone.
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
