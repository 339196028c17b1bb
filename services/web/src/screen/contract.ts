// What the platform tells a screen, by the names that the player uses.
import type { Schema } from '../api/client.ts';

export type Playlist = Schema['Playlist'];
/** One alert on a screen. */
export type Item = Schema['Item'];
/** One language's text; on a scrolling screen the headline is the whole line, and nothing else is said. */
export type Text = Schema['Text'];
/** One showing of an alert. */
export type Play = Schema['Play'];
