// Light or dark, by what was chosen and what the device says.

export type Shade = 'light' | 'dark';
export type Choice = Shade | 'device';

export function shadeOf(choice: Choice, nightOnDevice: boolean): Shade {
  return choice === 'device' ? (nightOnDevice ? 'dark' : 'light') : choice;
}
