import { useInsertionEffect, useRef, type RefObject } from "react";

/** Keeps the value of the latest rendering that was shown, for what is called later. */
export function useLatest<V>(value: V): Readonly<RefObject<V>> {
  const latest = useRef(value);
  // Before all other effects, so that those see it.
  useInsertionEffect(() => {
    latest.current = value;
  });
  return latest;
}
