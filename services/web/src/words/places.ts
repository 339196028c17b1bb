// Names of places by their codes. The districts are read once; what lies in one is read when it is asked for.

export interface District { code: string; name: string; name_en: string; people: number }
export interface Community { code: string; name: string }
export interface Township { code: string; name: string; communities: Community[] }

const read = async <T>(path: string): Promise<T> => {
  const answer = await fetch(`/places/${path}`);
  if (!answer.ok) throw new Error(`no names of places: ${path}`);
  return (await answer.json()) as T;
};

let all: Promise<District[]> | undefined;
const inside = new Map<string, Promise<Township[]>>();

/** The 38 districts and counties in the order of their codes. */
export function districts(): Promise<District[]> {
  all ??= read<District[]>('districts.json');
  return all;
}

/** The townships of a district with their communities. */
export function townships(district: string): Promise<Township[]> {
  let found = inside.get(district);
  if (!found) {
    found = read<Township[]>(`${district}.json`);
    inside.set(district, found);
  }
  return found;
}

/** An area as people know it: `渝中区`, `渝中区 · 朝天门街道`. `city` is the whole city. */
export async function placeName(area: string, tongue: 'zh-CN' | 'en'): Promise<string> {
  if (area === 'city') return tongue === 'en' ? 'The whole city' : '全市';
  const district = (await districts()).find((district) => area.startsWith(district.code));
  if (!district) return area;
  const own = tongue === 'en' ? district.name_en : district.name;
  if (area.length === 6) return own;
  const township = (await townships(district.code)).find((township) => area.startsWith(township.code));
  if (!township) return own;
  const community = area.length === 12 ? township.communities.find((community) => community.code === area) : undefined;
  return [own, township.name, community?.name].filter(Boolean).join(' · ');
}
