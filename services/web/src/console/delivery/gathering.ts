// What the chart of a delivery is drawn from: how many were handed over, acknowledged, reminded, failed, and when. Tellings may come
// by the hundred a second for hours: each costs the same, and the points never become more than `MOST`, since older ones are thinned.

/** Of a delivery, what is drawn: totals at one moment. */
export interface Totals { app: number; sms: number; /** Short messages that came to their handset. */ delivered: number; reminded: number; acknowledged: number; failed: number }
export const lines = ['app', 'sms', 'delivered', 'acknowledged', 'reminded', 'failed'] as const satisfies readonly (keyof Totals)[];

/** As the platform tells what went before, by beginnings of bins. */
export interface Series {
  from: string;
  bin_s: number;
  hand_overs: readonly { at: string; wave: number; channel: string; accepted: number; failed: number }[];
  acknowledgements: readonly { at: string; count: number }[];
}

/** What the SMS centre told, by minutes. */
export type Arrivals = readonly { at: string; count: number }[];

/** The numbers of a wave on a channel that matter here. */
interface Channel { channel: string; accepted: number; unreachable: number; fell_back: number }
export interface Told { acknowledged?: number; waves: readonly { wave: number; no_channel?: number; channels: readonly Channel[] }[] }

export const MOST = 720;
const none = (): Totals => ({ app: 0, sms: 0, delivered: 0, reminded: 0, acknowledged: 0, failed: 0 });

/** The totals that a telling names, with the short messages that have arrived. Who could be reached by nothing from the start has not failed: nothing was tried. */
export function totals(told: Told, delivered = 0): Totals {
  const sum = none();
  sum.delivered = delivered;
  sum.acknowledged = told.acknowledged ?? 0;
  for (const { wave, channels } of told.waves) {
    for (const channel of channels) {
      if (wave > 1) sum.reminded += channel.accepted;
      else if (channel.channel === 'app') sum.app += channel.accepted;
      else sum.sms += channel.accepted;
      if (wave === 1) sum.failed += channel.unreachable;
    }
  }
  return sum;
}

export class Gathering {
  /** Seconds since 1970, as uPlot counts. */
  #times: number[] = [];
  #points: Totals[] = [];
  /** How far apart points are kept; grows as time passes. */
  #apart = 1;

  get size(): number {
    return this.#times.length;
  }

  get last(): Totals | undefined {
    return this.#points.at(-1);
  }

  /** Begins with what went before; what was told since then stays. */
  begin(series: Series, arrivals: Arrivals = []): void {
    const bins = new Map<number, Totals>();
    const from = Date.parse(series.from) / 1000;
    const bin = (at: string, length = series.bin_s) => {
      // What happened in a bin is known at its end.
      const second = Math.max(from, Date.parse(at) / 1000 + length);
      const found = bins.get(second) ?? none();
      bins.set(second, found);
      return found;
    };
    for (const { at, wave, channel, accepted, failed } of series.hand_overs) {
      const sums = bin(at);
      if (wave > 1) sums.reminded += accepted;
      else sums[channel === 'app' ? 'app' : 'sms'] += accepted;
      if (wave === 1) sums.failed += failed;
    }
    // Acknowledgements are counted by the minute at least.
    for (const { at, count } of series.acknowledgements) bin(at, Math.max(60, series.bin_s)).acknowledged += count;
    for (const { at, count } of arrivals) bin(at, 60).delivered += count;

    const [laterTimes, laterPoints] = [this.#times, this.#points];
    this.#times = [];
    this.#points = [];
    const sum = none();
    this.#put(from, { ...sum });
    for (const second of [...bins.keys()].sort((a, b) => a - b)) {
      const more = bins.get(second);
      if (more) for (const line of lines) sum[line] += more[line];
      this.#put(second, { ...sum });
    }
    const end = this.#times.at(-1) ?? 0;
    laterTimes.forEach((time, at) => {
      const point = laterPoints[at];
      if (point && time > end) this.#put(time, point);
    });
  }

  /** Takes what is told now; answers whether a line goes on, or only the newest point was moved. */
  take(now: Totals, atMs: number): boolean {
    const second = Math.floor(atMs / 1000);
    const last = this.#times.at(-1);
    if (last !== undefined && second - last < this.#apart && this.#times.length > 1) {
      this.#points[this.#points.length - 1] = now;
      // Never back in time, should a clock be moved.
      this.#times[this.#times.length - 1] = Math.max(last, second);
      return false;
    }
    this.#put(last === undefined ? second : Math.max(last, second), now);
    return true;
  }

  #put(second: number, point: Totals): void {
    this.#times.push(second);
    this.#points.push(point);
    if (this.#times.length > MOST) this.#thin();
  }

  /** Every second point goes; the newest stays. */
  #thin(): void {
    const stays = (_: unknown, at: number, all: unknown[]) => at % 2 === 0 || at === all.length - 1;
    this.#times = this.#times.filter(stays);
    this.#points = this.#points.filter(stays);
    const spread = (this.#times.at(-1) ?? 0) - (this.#times[0] ?? 0);
    this.#apart = Math.max(this.#apart, Math.floor(spread / MOST));
  }

  /** The columns that uPlot draws: time, then every line. */
  columns(): [number[], ...number[][]] {
    return [this.#times.slice(), ...lines.map((line) => this.#points.map((point) => point[line]))];
  }

  /** At most so many rows for whoever reads a table: evenly spread, the newest last. */
  rows(most = 24): { at: number; totals: Totals }[] {
    const count = Math.min(most, this.size);
    return Array.from({ length: count }, (_, row) => {
      const at = count === 1 ? this.size - 1 : Math.round((row * (this.size - 1)) / (count - 1));
      return { at: (this.#times[at] ?? 0) * 1000, totals: this.#points[at] ?? none() };
    });
  }

  /** Hand-overs a second over the last half minute of points. */
  rate(): number {
    const last = this.size - 1;
    const end = this.#times[last];
    if (end === undefined) return 0;
    let first = last;
    while (first > 0 && end - (this.#times[first] ?? end) < 30) first -= 1;
    const seconds = end - (this.#times[first] ?? end);
    const handed = (at: number) => (this.#points[at] ? this.#points[at].app + this.#points[at].sms + this.#points[at].reminded : 0);
    return seconds > 0 ? Math.max(0, (handed(last) - handed(first)) / seconds) : 0;
  }
}
