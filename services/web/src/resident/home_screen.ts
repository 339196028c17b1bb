// An iPhone or iPad gives notifications only to apps on its home screen (iOS 16.4 and later); in Safari the app has to say so, or it says nothing.

/** The browser that the app is open in. */
export interface Browser { userAgent: string; maxTouchPoints: number; standalone: boolean; hasPush: boolean }

export function thisBrowser(): Browser {
  const { userAgent, maxTouchPoints } = navigator;
  const standalone = (navigator as { standalone?: boolean }).standalone === true || matchMedia('(display-mode: standalone)').matches;
  return { userAgent, maxTouchPoints, standalone, hasPush: 'PushManager' in window };
}

/** Whether notifications are to be had by adding the app to the home screen. */
export function needsHomeScreen({ userAgent, maxTouchPoints, standalone, hasPush }: Browser): boolean {
  // An iPad asks for pages as a Mac does; no Mac has a touch screen.
  const isApple = /iPhone|iPod|iPad/.test(userAgent) || (/Macintosh/.test(userAgent) && maxTouchPoints > 1);
  return isApple && !standalone && !hasPush;
}
