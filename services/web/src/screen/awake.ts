// Keeps the screen lit, where the browser lets a page do that. The lock is lost whenever the page is hidden, and taken again.

export function keepAwake(): () => void {
  let lock: WakeLockSentinel | undefined;
  const take = async () => {
    if (document.visibilityState !== 'visible') return;
    try {
      lock = await navigator.wakeLock?.request('screen');
    } catch {
      // The device's own settings decide.
    }
  };
  void take();
  document.addEventListener('visibilitychange', take);
  return () => {
    document.removeEventListener('visibilitychange', take);
    void lock?.release();
  };
}
