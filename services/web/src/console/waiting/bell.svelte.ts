// How somebody is called who looks elsewhere: a sound, and a notification over other windows. Both are switched on by their own hand, never
// asked for by a page that opens; what they chose is kept in this browser.
import { say } from '../../words/say.svelte.ts';
import { go, path } from '../router.svelte.ts';
import { claimed, type Ring, type Task } from './tasks.ts';
import { sentence } from './words.ts';

const KEPT = 'fenghuo.bell';
const RUNG = 'fenghuo.rung';

interface Chosen { sound: boolean; notices: boolean }

/** `missing` where this browser has no notifications. */
export type Permission = NotificationPermission | 'missing';

const mayNotify = (): Permission => (typeof Notification === 'undefined' ? 'missing' : Notification.permission);
const state = $state<Chosen & { permission: Permission }>({ ...kept(), permission: mayNotify() });
let voice: AudioContext | undefined;

function kept(): Chosen {
  try {
    const said = JSON.parse(localStorage.getItem(KEPT) ?? '{}') as Partial<Chosen>;
    return { sound: said.sound === true, notices: said.notices === true };
  } catch {
    return { sound: false, notices: false };
  }
}

function keep(): void {
  try {
    localStorage.setItem(KEPT, JSON.stringify({ sound: state.sound, notices: state.notices }));
  } catch {
    // Stays so until the page is closed.
  }
}

export const soundOn = (): boolean => state.sound;
/** Whether notifications are wanted and allowed. */
export const noticesOn = (): boolean => state.notices && state.permission === 'granted';
export const permission = (): Permission => state.permission;

/** Called by a press: a browser lets a page sound only after one. */
export function switchSound(on: boolean): void {
  state.sound = on;
  keep();
  if (on) void play('soft');
}

/** Called by a press: the browser asks the person, who may refuse. */
export async function switchNotices(on: boolean): Promise<void> {
  if (on && mayNotify() === 'default') await Notification.requestPermission().catch(() => 'default');
  state.permission = mayNotify();
  state.notices = on && state.permission === 'granted';
  keep();
}

/** After a reload a browser lets a page sound once the person has touched it. Returns how to stop waiting for that. */
export function wakeVoice(): () => void {
  const wake = () => {
    if (state.sound) void loud().catch(() => {});
  };
  addEventListener('pointerdown', wake, { once: true });
  addEventListener('keydown', wake, { once: true });
  return () => {
    removeEventListener('pointerdown', wake);
    removeEventListener('keydown', wake);
  };
}

async function loud(): Promise<AudioContext> {
  voice ??= new AudioContext();
  if (voice.state === 'suspended') await voice.resume();
  return voice;
}

/** Two notes; three times and higher where it is urgent. Nothing has to be loaded for it. */
async function play(how: 'soft' | 'urgent'): Promise<void> {
  try {
    const sounding = await loud();
    const notes = how === 'urgent' ? [880, 660, 880, 660, 880, 660] : [660, 880];
    for (const [at, pitch] of notes.entries()) {
      const begins = sounding.currentTime + at * 0.22;
      const tone = sounding.createOscillator();
      const volume = sounding.createGain();
      tone.type = 'triangle';
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0.0001, begins);
      volume.gain.exponentialRampToValueAtTime(how === 'urgent' ? 0.4 : 0.2, begins + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.0001, begins + 0.2);
      tone.connect(volume).connect(sounding.destination);
      tone.start(begins);
      tone.stop(begins + 0.22);
    }
  } catch {
    // A machine without a sound card rings by its notification and by the bar.
  }
}

function show(task: Task): void {
  try {
    const notice = new Notification(task.urgent ? say('烽火：紧急待办', 'Fenghuo: urgent') : say('烽火：新的待办', 'Fenghuo: something waits for you'), {
      body: sentence(task), tag: task.key, icon: '/beacon.svg', requireInteraction: task.urgent,
    });
    notice.addEventListener('click', () => {
      notice.close();
      focus();
      if (path() !== task.address) go(task.address);
    });
  } catch {
    // Some browsers show them from service workers only: there the sound and the tab's title are left.
  }
}

/** Which of these no other tab of this browser has rung for. */
function mine(tasks: readonly Task[]): Task[] {
  try {
    const before = JSON.parse(localStorage.getItem(RUNG) ?? '{}') as Record<string, number>;
    const { mine, rung } = claimed(before, tasks, Date.now());
    localStorage.setItem(RUNG, JSON.stringify(rung));
    return mine;
  } catch {
    return [...tasks];
  }
}

/** Rings as it was decided, as far as the person wants it. */
export function ring({ sound, notify, assertive, polite }: Ring): void {
  const own = new Set(mine([...assertive, ...polite]).map(({ key }) => key));
  if (!own.size) return;
  if (sound !== 'none' && state.sound) void play(sound);
  if (noticesOn()) for (const task of notify) if (own.has(task.key)) show(task);
}

/** What was rung for urgently and is still there rings again. */
export function ringOnceMore(): void {
  if (state.sound) void play('urgent');
}
