/** The part of a page's global object that is watched. Outside of pages none of it exists. */
interface Page extends Partial<PageEvents> {
  readonly document?: { readonly visibilityState: string };
}

interface PageEvents {
  addEventListener(
    type: string,
    listener: (event: PageEvent) => unknown,
    options: { readonly signal: AbortSignal },
  ): void;
}

interface PageEvent {
  /** Whether the page comes back from the browser's cache. */
  readonly persisted?: boolean;
}

/**
 * Watches the page until the signal is aborted.
 *
 * @param returned - called when the network is back, when the page becomes visible again, or when it comes back from the
 *   browser's cache.
 * @param gone - called when the network is gone; and, with the event, when the page ends or is put into the browser's
 *   cache, where nothing of it runs.
 */
export function watchSurroundings(returned: () => void, gone: (page?: PageEvent) => void, signal: AbortSignal): void {
  const page = globalThis as unknown as Page;
  const listeners: Readonly<Record<string, (event: PageEvent) => unknown>> = {
    online: returned,
    offline: () => gone(),
    pagehide: gone,
    // This event is also fired when a page was loaded.
    pageshow: ({ persisted }) => persisted && returned(),
    // It is fired at the document, and bubbles.
    visibilitychange: () => page.document?.visibilityState === "visible" && returned(),
  };
  for (const [type, listener] of Object.entries(listeners)) page.addEventListener?.(type, listener, { signal });
}
