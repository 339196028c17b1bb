// The service worker: it keeps the app for times without network, sends what waits, and shows alerts while the app is closed.

export function install(): void {
  if (!('serviceWorker' in navigator) || import.meta.env.DEV) return;
  addEventListener('load', () => {
    navigator.serviceWorker.register('/app/worker.js', { scope: '/app/' }).catch((reason: unknown) => console.warn('no service worker', reason));
  });
  // A notification that was touched says which alert it was about.
  navigator.serviceWorker.addEventListener('message', (event) => {
    const told = event.data as { kind?: string; alert_id?: string } | null;
    if (told?.kind === 'open' && told.alert_id) location.hash = `/alerts/${told.alert_id}`;
  });
}
