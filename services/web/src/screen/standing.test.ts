import { describe, expect, test } from 'vitest';
import { codeOf, Standing } from './standing.ts';

const MINUTE = 60_000;

describe('a key that was good before', () => {
  test('is not given up for the refusals of others', () => {
    const standing = new Standing(true);
    for (let minute = 0; minute < 60; minute += 1) {
      expect(standing.took(403, undefined, minute * MINUTE)).toBe(false);
      expect(standing.took(401, undefined, minute * MINUTE)).toBe(false);
      expect(standing.took(401, 'credential_missing', minute * MINUTE)).toBe(false);
    }
  });

  test('is given up when the platform has said several times over ten minutes that it does not know it', () => {
    const standing = new Standing(true);
    const said = [0, 1, 5, 9].map((minute) => standing.took(401, 'credential_unknown', minute * MINUTE));
    expect(said).toEqual([false, false, false, false]);
    expect(standing.took(401, 'credential_unknown', 10 * MINUTE)).toBe(true);
  });

  test('two refusals far apart are not several', () => {
    const standing = new Standing(true);
    expect(standing.took(401, 'credential_unknown', 0)).toBe(false);
    expect(standing.took(401, 'credential_unknown', 60 * MINUTE)).toBe(false);
  });

  test('is good again when it opens something', () => {
    const standing = new Standing(true);
    for (const minute of [0, 5]) standing.took(401, 'credential_unknown', minute * MINUTE);
    expect(standing.took(200, undefined, 9 * MINUTE)).toBe(false);
    expect(standing.took(401, 'credential_unknown', 11 * MINUTE)).toBe(false);
  });
});

test('a key that was never good is refused at once', () => {
  expect(new Standing(false).took(401, 'credential_unknown', 0)).toBe(true);
  expect(new Standing(false).took(403, undefined, 0)).toBe(false);
});

test('only a problem of the platform has a code', async () => {
  const answer = (type: string, body: string) => codeOf(new Response(body, { status: 401, headers: { 'content-type': type } }));
  expect(await answer('application/problem+json', '{"code":"credential_unknown"}')).toBe('credential_unknown');
  expect(await answer('text/html', '<h1>403</h1>')).toBeUndefined();
  expect(await answer('application/problem+json', '{')).toBeUndefined();
});
