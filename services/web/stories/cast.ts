// Who plays in the stories: staff at the console, residents with the app, a public screen. Each has a browser of their own.
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { expect, onTestFailed } from 'vitest';
import { city, eventually } from './city.ts';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const PHONE = { width: 360, height: 740 };
const DESK = { width: 1280, height: 800 };
/** How long anything may take on a slow machine that does other things as well. */
const WAIT = 90_000;

let browser: Browser | undefined;

/** The one browser of a story file; every person gets a window without the others' cookies. */
export async function theBrowser(): Promise<Browser> {
  browser ??= await chromium.launch({
    executablePath: CHROMIUM,
    timeout: WAIT,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  return browser;
}

export async function curtain(): Promise<void> {
  await browser?.close();
  browser = undefined;
}

/** A window; what its page complains about fails the story. */
export async function openWindow(size = DESK, extra: Parameters<Browser['newContext']>[0] = {}): Promise<{ page: Page; context: BrowserContext; faults: string[] }> {
  const context = await (await theBrowser()).newContext({ viewport: size, locale: 'zh-CN', timezoneId: 'Europe/Lisbon', ...extra });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT);
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => {
    const text = message.text();
    // Refusals and a network that is away are part of stories; a broken content policy or script never is.
    if (message.type() === 'error' && !/Failed to load resource|net::ERR/.test(text)) faults.push(text);
  });
  // Whoever reads of a story that did not hold wants to know what stood there.
  onTestFailed(async () => {
    const stood = await page.evaluate(() => document.querySelector<HTMLElement>('dialog[open]')?.innerText ?? document.body.innerText).catch(() => 'the window is closed');
    console.error(`${page.url()}: ${stood.slice(0, 1500)}${faults.map((fault) => `\n! ${fault}`).join('')}`);
  });
  return { page, context, faults };
}

/** Answers every item of the checklist with yes, as a careful reviewer who has found nothing. */
export async function answersYes(page: Page): Promise<void> {
  const items = page.locator('main .checklist input[value=yes]');
  for (let at = 0; at < (await items.count()); at += 1) await items.nth(at).check();
}

/** A member of staff at the console. */
export class Staff {
  private constructor(readonly page: Page, readonly context: BrowserContext, readonly faults: string[], readonly login: string) {}

  static async signsIn(login: string, { size = DESK, tongue = 'zh-CN' } = {}): Promise<Staff> {
    const { page, context, faults } = await openWindow(size);
    await page.goto(`${city.url}/console?lang=${tongue}`);
    const [name, password, enter] = tongue === 'en' ? ['Login', 'Password', 'Sign in'] : ['账号', '密码', '登录'];
    await page.getByLabel(name, { exact: false }).fill(login);
    const account = await city.account(login);
    await page.getByLabel(password, { exact: false }).fill(account.password);
    // Attempts on an account are slowed down, and stories sign in more often than people.
    const [menu, code] = [page.locator('nav#menu'), page.locator('input[autocomplete=one-time-code]')];
    await eventually(`${login} is signed in`, async () => {
      // what was refused for coming too soon has to be filled in once more
      if ((await page.getByLabel(password, { exact: false }).inputValue({ timeout: 1000 }).catch(() => 'away')) === '') await page.getByLabel(password, { exact: false }).fill(account.password).catch(() => {});
      await page.getByRole('button', { name: enter, exact: true }).click({ timeout: 1000 }).catch(() => {});
      return menu.or(code).first().waitFor({ state: 'attached', timeout: 15_000 }).then(() => true, () => false);
    });
    if (account.code && (await code.isVisible())) await code.fill(account.code);
    await menu.waitFor({ state: 'attached' });
    return new Staff(page, context, faults, login);
  }

  async opens(path: string): Promise<void> {
    await this.page.goto(`${city.url}/console${path}`);
    await this.page.locator('main h1').first().waitFor();
  }

  /** Waits until this stands on the page, without a reload. */
  async sees(text: string | RegExp): Promise<void> {
    await this.page.getByText(text).first().waitFor();
  }

  /** Opens the alert with this headline from what waits. */
  async takesUp(headline: string): Promise<void> {
    await this.page.getByRole('link', { name: new RegExp(headline) }).first().click();
    await this.page.locator('main h1').filter({ hasText: headline }).first().waitFor();
  }

  /** Makes sure of everything on the checklist, then decides. */
  async decides(button: RegExp, { reason, typed }: { reason?: string; typed?: boolean } = {}): Promise<void> {
    const step = this.page.locator('main').getByRole('button', { name: button }).first();
    await step.waitFor();
    await answersYes(this.page);
    await step.click();
    const dialog = this.page.locator('dialog[open]');
    await dialog.waitFor();
    if (reason) await dialog.getByRole('textbox').first().fill(reason);
    if (typed) {
      const field = dialog.getByRole('textbox').last();
      const label = (await dialog.locator('label').filter({ hasText: /人数|number/ }).last().innerText()).replaceAll(',', '');
      await field.fill(/(\d+)/.exec(label)?.[1] ?? '');
    }
    // What has to be known is known.
    const cautions = dialog.getByRole('checkbox');
    for (let at = 0; at < (await cautions.count()); at += 1) await cautions.nth(at).check();
    await dialog.locator('button[type=submit]').click();
    await this.provesWhereAsked(dialog);
  }

  /** Shows the code of the demo where a step wants a fresh proof, and waits until nothing more is asked. */
  async provesWhereAsked(dialog = this.page.locator('dialog[open]')): Promise<void> {
    const code = this.page.locator('dialog[open] input[autocomplete=one-time-code]');
    await eventually('the step is taken', async () => {
      if (await code.isVisible()) await code.fill((await city.account(this.login)).code ?? '', { timeout: 1000 }).catch(() => {});
      return (await dialog.count()) === 0;
    });
  }

  async leaves(): Promise<void> {
    expect(this.faults, `${this.login}'s pages`).toEqual([]);
    await this.context.close();
  }
}

/** A resident with the app. */
export class Resident {
  private constructor(readonly page: Page, readonly context: BrowserContext, readonly faults: string[], readonly phone: string) {}

  static async registers(phone: string, community: string, { size = PHONE, tongue = 'zh-CN', url = city.url, passport = '', looks = async (_: Page) => {} } = {}): Promise<Resident> {
    const { page, context, faults } = await openWindow(size, { serviceWorkers: 'allow' });
    const before = (await city.sms(phone)).length;
    await page.goto(`${url}/app?lang=${tongue}`);
    await page.getByLabel(tongue === 'en' ? /mobile/i : /手机/).first().fill(phone.replace('+86', ''));
    await page.locator('form button[type=submit]').click();
    await page.locator('input[autocomplete=one-time-code]').fill(await city.code(phone, before));
    for (const [at, code] of [community.slice(0, 6), community.slice(0, 9), community].entries()) {
      const select = page.locator('form select').nth(at);
      await select.locator(`option[value="${code}"]`).waitFor({ state: 'attached' });
      await select.selectOption(code);
    }
    if (passport) {
      await page.locator('form select').nth(3).selectOption('passport');
      await page.locator('form select').nth(4).selectOption('KR');
      await page.locator('form input[autocomplete=off]').fill(passport);
      await looks(page);
    }
    await page.locator('form button[type=submit]').click();
    await page.getByRole('button', { name: /我同意|I agree/ }).click();
    await page.locator('form').waitFor({ state: 'detached' });
    return new Resident(page, context, faults, phone);
  }

  /** The alert stands over everything; what came before it is read. */
  async receives(headline: string): Promise<this> {
    const dialog = this.page.locator('dialog[open]');
    await eventually(`${headline} pops up`, async () => {
      await this.page.evaluate(() => dispatchEvent(new Event('focus')));
      const title = dialog.locator('[id$="-title"]');
      if (!(await title.isVisible())) return false;
      const stands = await title.innerText();
      if (stands.includes(headline)) return true;
      // What came before is read first, as people do: that, and not what may take its place this moment. A correction names what it corrects, so
      // it is the title that tells them apart.
      const that = dialog.filter({ has: this.page.locator('[id$="-title"]', { hasText: stands }) });
      if (stands) await that.getByRole('button', { name: /我已知晓|I have read/ }).click({ timeout: 2000 }).catch(() => undefined);
      return false;
    }).catch(async (late: Error) => {
      const stands = (await dialog.isVisible()) ? await dialog.innerText() : await this.page.locator('main').innerText();
      throw new Error(`${late.message}; instead: ${stands.slice(0, 400)}`);
    });
    return this;
  }

  /** Presses the button; when that alert is away, the answer is kept on the phone. */
  async acknowledges(): Promise<this> {
    const dialog = this.page.locator('dialog[open]');
    const alert = await dialog.getAttribute('data-alert');
    const that = this.page.locator(`dialog[open][data-alert="${alert}"]`);
    // Where a story has whatever stands in the way read by itself, that may be quicker than this press.
    await eventually('the alert is read and away', async () => {
      if (await that.isVisible()) await that.getByRole('button', { name: /我已知晓|I have read/ }).click({ timeout: 2000 }).catch(() => undefined);
      return !(await that.isVisible());
    });
    return this;
  }

  /** Reads whatever stands in the way, so that the next alert can be seen. */
  async readsEverything(): Promise<this> {
    const dialog = this.page.locator('dialog[open]');
    await this.#looks();
    while (await dialog.isVisible()) {
      await this.acknowledges();
      await this.#looks();
    }
    return this;
  }

  /** Has the page ask for the inbox, and waits until what the platform has said is on it. */
  async #looks(): Promise<void> {
    // the page keeps with the inbox when it was read
    const readAt = () => this.page.evaluate(() => new Promise<number>((told, failed) => {
      const asked = indexedDB.open('fenghuo', 1);
      asked.onerror = () => failed(asked.error);
      asked.onsuccess = () => {
        const inbox = asked.result.transaction('kept').objectStore('kept').get('inbox');
        inbox.onerror = () => failed(inbox.error);
        inbox.onsuccess = () => (asked.result.close(), told((inbox.result as { at: number } | undefined)?.at ?? 0));
      };
    }));
    const before = await readAt();
    await eventually('the inbox is read', async () => {
      await this.page.evaluate(() => dispatchEvent(new Event('focus')));
      return (await readAt()) !== before;
    });
  }

  async leaves(): Promise<void> {
    expect(this.faults, 'the app').toEqual([]);
    await this.context.close();
  }
}
