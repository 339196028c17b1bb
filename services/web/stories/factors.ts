// Second factors as people have them: an authenticator app, and a device that keeps passkeys behind a finger.
import { createHmac } from 'node:crypto';
import type { CDPSession, Page } from 'playwright-core';
import { city, eventually } from './city.ts';

const STEP_MS = 30_000;
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** The code that an authenticator app shows for a secret at a time (RFC 6238). */
export function codeOf(secret: string, at: number): string {
  const bits = [...secret].map((letter) => LETTERS.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / STEP_MS)));
  const hash = createHmac('sha1', key).update(counter).digest();
  return String((hash.readUInt32BE(hash[19]! & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

/** An app on somebody's phone, whose clock is the city's. */
export class App {
  #shown = '';

  constructor(readonly secret: string) {}

  /** The code that it shows now. */
  async shows(): Promise<string> {
    this.#shown = codeOf(this.secret, (await city.now()).getTime());
    return this.#shown;
  }

  /** A code that was not shown before: half a minute goes by. */
  async next(): Promise<string> {
    const before = this.#shown;
    while ((await this.shows()) === before) await city.forward(1);
    return this.#shown;
  }
}

/** Enrols an app on the page that asks for a second factor, keeps the recovery codes if some are shown, and goes on. */
export async function enrolsApp(page: Page): Promise<{ app: App; recoveryCodes: string[] }> {
  await page.locator('.choices button').last().click();
  const app = new App((await page.locator('form li code').innerText()).replace(/\s/g, ''));
  await page.locator('input[autocomplete=one-time-code]').fill(await app.shows());
  return { app, recoveryCodes: await keepsRecoveryCodes(page) };
}

/** Reads the ten recovery codes, says that they are kept, and goes on. */
export async function keepsRecoveryCodes(page: Page): Promise<string[]> {
  const codes = page.locator('.recovery li code');
  await codes.first().waitFor();
  const kept = await codes.allInnerTexts();
  await page.locator('.recovery input[type=checkbox]').check();
  await page.locator('.recovery button').last().click();
  await page.locator('.recovery').waitFor({ state: 'detached' });
  return kept;
}

/** A device that keeps passkeys behind its owner's finger: Chromium's virtual authenticator. */
export class Device {
  #shown = 0;

  private constructor(readonly wire: CDPSession, readonly id: string) {}

  static async of(page: Page): Promise<Device> {
    const wire = await page.context().newCDPSession(page);
    await wire.send('WebAuthn.enable', { enableUI: false });
    const { authenticatorId } = await wire.send('WebAuthn.addVirtualAuthenticator', {
      options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: false },
    });
    const device = new Device(wire, authenticatorId);
    wire.on('WebAuthn.credentialAsserted', () => (device.#shown += 1));
    return device;
  }

  /** How often a passkey of it was shown. */
  get shown(): number {
    return this.#shown;
  }

  /** Its owner touches it when it asks: for what is pressed, and for nothing else. */
  async touchedFor(press: () => Promise<unknown>, done: () => Promise<unknown>): Promise<void> {
    await this.wire.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId: this.id, enabled: true });
    await press();
    await done();
    await this.wire.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId: this.id, enabled: false });
  }

  /** It is dropped into the river. */
  async lost(): Promise<void> {
    await this.wire.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId: this.id });
  }
}

interface Made { first_half: string; proposal: { id: string } }

/** A new account, proposed by one administrator and confirmed by another; what its owner is given to set a password with. */
export async function newAccount(login: string, name: string, role: string, scope: string): Promise<{ login: string; first: string; second: string }> {
  const [one, two] = [await city.signIn('admin'), await city.signIn('admin.two')];
  const made = await city.call<Made>('POST', 'staff', one, { login, name, role, scope });
  const { second_half } = await city.call<{ second_half: string }>('POST', `proposals/${made.proposal.id}/confirmation`, two);
  return { login, first: made.first_half, second: second_half };
}

/** Two administrators let a new account act without waiting for a day. */
export async function mayActAtOnce(login: string): Promise<void> {
  const [one, two] = [await city.signIn('admin'), await city.signIn('admin.two')];
  const { id } = (await city.call<{ id: string; login: string }[]>('GET', 'staff', one)).find((account) => account.login === login)!;
  const { proposal } = await city.call<Made>('POST', `staff/${id}/waiting-lifted`, one);
  await city.call('POST', `proposals/${proposal.id}/confirmation`, two);
}

/** Sets the password of a new account on the page of the sign-in. */
export async function setsPassword(page: Page, { login, first, second }: { login: string; first: string; second: string }, password: string): Promise<void> {
  await page.getByRole('button', { name: /设置自己的密码/ }).click();
  await page.getByLabel('账号').fill(login);
  await page.getByLabel('启用码第一段').fill(first);
  await page.getByLabel('启用码第二段').fill(second);
  const chosen = page.locator('input[autocomplete=new-password]');
  for (const at of [0, 1]) await chosen.nth(at).fill(password);
  await page.getByRole('button', { name: '设置密码并继续' }).click();
  await page.locator('.choices').waitFor();
}

/** Whether somebody is in. */
export const isIn = (page: Page) => eventually('somebody is in', async () => (await page.locator('nav#menu').count()) === 1);
