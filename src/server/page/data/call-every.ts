/**
 * Calls `load` now and then again every `ms`, never a second time before the first is done; a hidden page asks for nothing. `isEnded` tells a load that was
 * under way that nobody waits for it any more. Returns how to end it.
 */
export function callEvery(ms: number, load: (isEnded: () => boolean) => Promise<void>): () => void {
  let hasEnded = false;
  let isLoading = false;
  let isFirst = true;
  const next = async () => {
    if (isLoading || (document.hidden && !isFirst)) return;
    isLoading = true;
    isFirst = false;
    try {
      await load(() => hasEnded);
    } finally {
      isLoading = false;
    }
  };
  const timer = setInterval(() => void next(), ms);
  void next();
  return () => {
    hasEnded = true;
    clearInterval(timer);
  };
}
