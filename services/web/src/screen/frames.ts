// Server-sent events out of a stream of bytes. Screens cannot use EventSource: it sends no Authorization header.

export interface Frame { event: string; data: string; id: string | undefined }

/** A line longer than this is none of the platform's; what is kept stays bounded. */
const LONGEST = 4_000_000;

/** Takes pieces of a stream as they come and returns the events that are whole. */
export class Frames {
  #rest = '';
  #event = '';
  #data: string[] = [];
  #id: string | undefined;

  take(piece: string): Frame[] {
    const frames: Frame[] = [];
    const lines = (this.#rest + piece).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > LONGEST) throw new Error('a line without end');
    for (const line of lines) {
      if (line === '') {
        if (this.#data.length) frames.push({ event: this.#event || 'message', data: this.#data.join('\n'), id: this.#id });
        this.#event = '';
        this.#data = [];
        continue;
      }
      const [, name, value] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
      if (name === 'event') this.#event = value ?? '';
      else if (name === 'data') this.#data.push(value ?? '');
      else if (name === 'id') this.#id = value;
    }
    return frames;
  }
}
