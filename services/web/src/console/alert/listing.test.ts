import { describe, expect, it } from 'vitest';
import type { AlertLine } from './contract.ts';
import { addressOf, filtersOf, list, PAGE } from './listing.ts';

const city = (count: number) => Array.from({ length: count }, (_, at) => ({ alert_id: String(9999 - at), class: at % 10 === 0 ? 'urgent' : 'routine' }) as AlertLine);
const platform = (all: AlertLine[]) => async (query: URLSearchParams) => {
  const before = query.get('before');
  return all.filter((line) => !before || line.alert_id < before).slice(0, Number(query.get('limit')));
};
const all = filtersOf(new URLSearchParams());

describe('a list of alerts', () => {
  it('goes on where the page before ended', async () => {
    const read = platform(city(120));
    const first = await list(all, read);
    const second = await list({ ...all, before: first.next! }, read);
    const third = await list({ ...all, before: second.next! }, read);
    expect([first, second, third].map((page) => page.lines.length)).toEqual([50, 50, 20]);
    expect(third.next).toBeNull();
  });
  it('looks through more pages for one class', async () => {
    const page = await list({ ...all, class: 'urgent' }, platform(city(450)));
    expect(page.lines).toHaveLength(45);
    expect(page.next).toBeNull();
  });
  it('stops at a full page', async () => {
    const page = await list({ ...all, class: 'urgent' }, platform(city(700)));
    expect(page.lines).toHaveLength(PAGE);
    expect(page.next).toBe(page.lines.at(-1)!.alert_id);
  });
});

it('keeps what is asked for in the address', () => {
  expect(addressOf({ ...all, state: 'active', district: '500103' })).toBe('/alerts?state=active&district=500103');
  expect(addressOf(all)).toBe('/alerts');
  expect(filtersOf(new URLSearchParams('state=active&mine=true'))).toEqual({ ...all, state: 'active', mine: true });
});
