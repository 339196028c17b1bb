// For which purposes a key may ask whether something stands against somebody, as they are typed.

/** The codes, each once: `hospital_visit, school` → `['hospital_visit', 'school']`. */
export function purposesOf(typed: string): string[] {
  return [...new Set(typed.split(/[\s,，、;；]+/u).filter(Boolean))];
}
