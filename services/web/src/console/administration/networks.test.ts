import { expect, test } from 'vitest';
import { networksOf } from './networks.ts';

test.each([
  ['', []],
  [' 198.51.100.0/24，2001:db8::/48\n198.51.100.0/24 ', ['198.51.100.0/24', '2001:db8::/48']],
])('%s', (typed, networks) => expect(networksOf(typed)).toEqual(networks));
