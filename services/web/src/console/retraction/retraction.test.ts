import { describe, expect, it, test, vi } from 'vitest';
import type { AlertContent } from '../alert/contract.ts';
import type { Retraction, ToldOfRetraction } from './contract.ts';
import { firstKind, kinds, lastWord, mayEnd, missing, offerOf, saysOtherwise, shareTold, stepsOf, waitsForOthers } from './retraction.ts';

// The words ask in which language they are read, which is kept in the browser.
vi.hoisted(() => {
  vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => {} });
  vi.stubGlobal('location', { search: '', origin: 'http://fenghuo.test', href: 'http://fenghuo.test/', hostname: 'fenghuo.test', hash: '' });
  vi.stubGlobal('document', { documentElement: { lang: '' } });
});

type Shown = Parameters<typeof offerOf>[0];
const alert = (more: object = {}) => ({ state: 'active', open_actions: [], handed: true, ...more }) as unknown as Shown;
const waiting = (open_steps: string[]) => ({ retraction_id: 'r', kind: 'withdraw', asked_at: '', asked_by: '', open_steps });

describe('beside an alert that people have', () => {
  it('its words stand ready for whoever may write in its area', () => {
    expect(offerOf(alert({ open_actions: ['stop'] }), true)).toEqual({ stop: true, resume: false, words: 'ask' });
    expect(offerOf(alert(), false).words).toBeNull();
  });
  it('nothing is offered that nobody needs: what nobody has is cancelled, what has ended is over', () => {
    expect(offerOf(alert({ handed: false }), true).words).toBeNull();
    expect(offerOf(alert({ state: 'cancelled' }), true).words).toBeNull();
    expect(offerOf(alert({ state: 'city_review' }), true)).toEqual({ stop: false, resume: false, words: null });
  });
  it('a word that waits is decided by the second, and read by the first', () => {
    expect(offerOf(alert({ retraction: waiting(['confirm', 'refuse']) }), true).words).toBe('decide');
    expect(offerOf(alert({ retraction: waiting(['take_back']) }), true).words).toBe('look');
    expect(offerOf(alert({ retraction: waiting([]) }), false).words).toBe('look');
  });
  it('what is stopped goes on only when no word waits', () => {
    expect(offerOf(alert({ open_actions: ['resume'] }), true).resume).toBe(true);
    expect(offerOf(alert({ open_actions: ['resume'], retraction: waiting(['take_back']) }), true).resume).toBe(false);
  });
});

test('an alert is ended by those who decide about it in its area, and not by the unit that wrote it', () => {
  const of = (district: string | null) => ({ district });
  expect(mayEnd('city_command_officer', 'city', of('500103'))).toBe(true);
  expect(mayEnd('district_reviewer', 'district:500103', of('500103'))).toBe(true);
  expect(mayEnd('district_reviewer', 'district:500105', of('500103'))).toBe(false);
  expect(mayEnd('submitting_unit', 'district:500103', of('500103'))).toBe(false);
  expect(mayEnd('auditor', 'city', of(null))).toBe(false);
});

describe('the word that is shown first', () => {
  const view = { may_ask: ['all_clear', 'withdraw'], prepared: kinds.map((kind) => ({ kind, texts: {}, sms: {} })) } as Parameters<typeof firstKind>[0];
  it('is what was pressed, if it may be asked for', () => expect(firstKind(view, 'all_clear')).toBe('all_clear'));
  it('is else the most hasty that may', () => expect([firstKind(view, 'correct'), firstKind(view, null)]).toEqual(['withdraw', 'withdraw']));
  it('is none where nothing may be asked for', () => expect(firstKind({ ...view, may_ask: [] }, 'withdraw')).toBeNull());
});

describe('a request', () => {
  const ask = { kind: 'withdraw', reason: '误发', publicReason: 'sent_by_mistake', changed: false } as const;
  it('of a withdrawal takes what residents are told, and a reason', () => {
    expect(missing(ask)).toBeNull();
    expect(missing({ ...ask, publicReason: '' })).toBe('public_reason');
    expect(missing({ ...ask, reason: ' ' })).toBe('reason');
  });
  it('of a correction takes a change', () => {
    expect(missing({ ...ask, kind: 'correct' })).toBe('change');
    expect(missing({ ...ask, kind: 'correct', changed: true })).toBeNull();
  });
  it('of an all-clear takes a reason and nothing else', () => expect(missing({ ...ask, kind: 'all_clear', publicReason: '' })).toBeNull());
});

test('a correction that says the same in every language is none', () => {
  const content = { contact: '12320', expires_at: '2026-11-23T04:00:00Z', place: null, texts: { 'zh-CN': { headline: '煮沸五分钟', body: '', instruction: '', sms: '' }, en: { headline: 'Boil', body: '', instruction: '', sms: '' } } } as unknown as AlertContent;
  expect(saysOtherwise(content, structuredClone(content))).toBe(false);
  expect(saysOtherwise(content, { ...content, contact: '12345' })).toBe(true);
  expect(saysOtherwise(content, { ...content, texts: { ...content.texts, en: { ...content.texts['en']!, headline: 'Boil for 10 minutes' } } })).toBe(true);
});

test('the second confirms or refuses, the asker waits and may take it back', () => {
  expect(stepsOf({ open_steps: ['refuse', 'confirm'] })).toEqual(['confirm', 'refuse']);
  expect(waitsForOthers({ open_steps: ['take_back'] })).toBe(true);
  expect(waitsForOthers({ open_steps: ['confirm', 'refuse'] })).toBe(false);
});

test('how far people have been told counts those who cannot be reached as settled', () => {
  const told = { people: 200, handed_over: 90, unreachable: 10, open: 100 } as ToldOfRetraction;
  expect(shareTold(told)).toBe(0.5);
  expect(shareTold({ ...told, handed_over: 400 })).toBe(1);
  expect(shareTold({ ...told, people: 0 })).toBeNull();
  expect(shareTold(null)).toBeNull();
});

test('the word that went out is the last confirmed one, whatever was refused after it', () => {
  const said = (retraction_id: string, state: string) => ({ retraction_id, state }) as Retraction;
  expect(lastWord({ earlier: [said('c', 'refused'), said('b', 'confirmed'), said('a', 'taken_back')] })?.retraction_id).toBe('b');
  expect(lastWord({ earlier: [] })).toBeNull();
});
