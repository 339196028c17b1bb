// A rule's condition (CEL) in words. The platform decides by the CEL; this only reads it out, and says nothing of what it does
// not understand.

export type Expression =
  | { is: 'word'; value: string }
  | { is: 'text'; value: string }
  | { is: 'number'; value: string }
  | { is: 'list'; items: Expression[] }
  | { is: 'not'; of: Expression }
  | { is: 'joined'; by: '&&' | '||'; parts: Expression[] }
  | { is: 'compared'; by: string; left: Expression; right: Expression }
  | { is: 'chosen'; when: Expression; then: Expression; otherwise: Expression }
  | { is: 'asked'; of: Expression; what: string; argument: Expression };

const TOKEN = /\s*(?:("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(-?\d+(?:\.\d+)?)|([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)|(&&|\|\||==|!=|<=|>=|[<>!?:(),[\]]))/y;

interface Token { kind: 'text' | 'number' | 'word' | 'sign'; value: string }

function tokens(source: string): Token[] | null {
  const found: Token[] = [];
  TOKEN.lastIndex = 0;
  const end = source.trimEnd().length;
  while (TOKEN.lastIndex < end) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(source);
    if (!match) return null;
    if (TOKEN.lastIndex === at) return null;
    const [, text, number, word, sign] = match;
    if (text !== undefined) found.push({ kind: 'text', value: text.slice(1, -1).replace(/\\(.)/g, '$1') });
    else if (number !== undefined) found.push({ kind: 'number', value: number });
    else if (word !== undefined) found.push({ kind: 'word', value: word });
    else found.push({ kind: 'sign', value: sign! });
  }
  return found;
}

class Unreadable extends Error {}

/** The parts of a condition; null when it holds something that rules do not use. */
export function parse(source: string): Expression | null {
  const found = tokens(source);
  if (!found) return null;
  let at = 0;
  const next = () => found[at];
  const eat = (value: string) => {
    const token = next();
    if (!token || (token.kind !== 'sign' && !(value === 'in' && token.kind === 'word')) || token.value !== value) return false;
    at += 1;
    return true;
  };
  const must = (value: string) => { if (!eat(value)) throw new Unreadable(value); };

  const whole = (): Expression => {
    const when = joined('||', () => joined('&&', compared));
    if (!eat('?')) return when;
    const then = whole();
    must(':');
    return { is: 'chosen', when, then, otherwise: whole() };
  };
  const joined = (by: '&&' | '||', part: () => Expression): Expression => {
    const parts = [part()];
    while (eat(by)) parts.push(part());
    return parts.length === 1 ? parts[0]! : { is: 'joined', by, parts };
  };
  const compared = (): Expression => {
    const left = single();
    const by = ['==', '!=', '<=', '>=', '<', '>', 'in'].find(eat);
    return by ? { is: 'compared', by, left, right: single() } : left;
  };
  const single = (): Expression => {
    if (eat('!')) return { is: 'not', of: single() };
    if (eat('(')) {
      const inside = whole();
      must(')');
      return inside;
    }
    if (eat('[')) {
      const items: Expression[] = [];
      while (!eat(']')) {
        items.push(single());
        if (!eat(',') && next()?.value !== ']') throw new Unreadable('list');
      }
      return { is: 'list', items };
    }
    const token = next();
    if (!token || token.kind === 'sign') throw new Unreadable('value');
    at += 1;
    if (token.kind === 'word' && eat('(')) {
      const dot = token.value.lastIndexOf('.');
      const what = token.value.slice(dot + 1);
      if (dot < 0 || !['startsWith', 'endsWith', 'contains'].includes(what)) throw new Unreadable(what);
      const argument = single();
      must(')');
      return { is: 'asked', of: { is: 'word', value: token.value.slice(0, dot) }, what, argument };
    }
    return { is: token.kind, value: token.value };
  };
  try {
    const read = whole();
    return at === found.length ? read : null;
  } catch (thrown) {
    if (thrown instanceof Unreadable) return null;
    throw thrown;
  }
}

/** How fields and values are called. */
export interface Names {
  english: boolean;
  field: (name: string) => string;
  value: (field: string, value: string) => string;
}

/** A condition in words; null when it cannot be read out. Parts that all have to hold stand in a list of their own. */
export function inWords(source: string, names: Names): string[] | null {
  const read = parse(source);
  if (!read) return null;
  const parts = read.is === 'joined' && read.by === '&&' ? read.parts : [read];
  return parts.map((part) => told(part, names, false));
}

function told(part: Expression, names: Names, inside: boolean): string {
  const say = (zh: string, en: string) => (names.english ? en : zh);
  const bracket = (text: string) => (inside ? say(`（${text}）`, `(${text})`) : text);
  const valueOf = (of: Expression, field: string): string =>
    of.is === 'list' ? of.items.map((item) => valueOf(item, field)).join(say('、', ', ')) : of.is === 'text' ? names.value(field, of.value) : of.is === 'number' || of.is === 'word' ? of.value : told(of, names, true);
  const fieldOf = (of: Expression) => (of.is === 'word' ? of.value : '');

  switch (part.is) {
    case 'word':
      return part.value === 'true' ? say('所有记录', 'every record') : part.value === 'false' ? say('没有记录', 'no record') : say(`${names.field(part.value)}为“是”`, `${names.field(part.value)} is true`);
    case 'not':
      if (part.of.is === 'compared' && part.of.by === 'in' && part.of.right.is === 'word') return say(`没有写明${absent(part.of.left, names)}`, `${absent(part.of.left, names)} is not said`);
      return say(`并非${told(part.of, names, true)}`, `not ${told(part.of, names, true)}`);
    case 'joined':
      return bracket(part.parts.map((one) => told(one, names, true)).join(part.by === '&&' ? say('，并且', ' and ') : say('，或者', ' or ')));
    case 'chosen':
      return bracket(say(`如果${told(part.when, names, true)}，则${told(part.then, names, true)}，否则${told(part.otherwise, names, true)}`, `if ${told(part.when, names, true)} then ${told(part.then, names, true)}, otherwise ${told(part.otherwise, names, true)}`));
    case 'asked': {
      const how = { startsWith: say('以…开头', 'begins with'), endsWith: say('以…结尾', 'ends with'), contains: say('含有…', 'contains') }[part.what] ?? part.what;
      const value = `“${valueOf(part.argument, fieldOf(part.of))}”`;
      return names.english ? `${names.field(fieldOf(part.of))} ${how} ${value}` : `${names.field(fieldOf(part.of))}${how.replace('…', value)}`;
    }
    case 'compared': {
      const { left, right, by } = part;
      if (by === 'in' && right.is === 'word') return say(`写明了${absent(left, names)}`, `${absent(left, names)} is said`);
      const field = fieldOf(left) || fieldOf(right);
      const [name, value] = [left.is === 'word' ? names.field(left.value) : valueOf(left, field), valueOf(right, field)];
      if (left.is === 'word' && left.value === 'age_hours' && right.is === 'number') return age(by, Number(right.value), say);
      const words: Record<string, [string, string]> = {
        '==': ['是', 'is'], '!=': ['不是', 'is not'], '<': ['小于', 'is under'], '>': ['大于', 'is over'], '<=': ['不超过', 'is at most'], '>=': ['不少于', 'is at least'], in: ['是下列之一：', 'is one of:'],
      };
      const [zh, en] = words[by]!;
      return names.english ? `${name} ${en} ${value}` : `${name}${zh}${value}`;
    }
    default:
      return valueOf(part, '');
  }
}

/** What an attribute is called whose presence is asked for. */
const absent = (of: Expression, names: Names) => names.field(of.is === 'text' ? `attributes.${of.value}` : of.is === 'word' ? of.value : '');

/** `age_hours < 504` → 发生不到 21 天. */
function age(by: string, hours: number, say: (zh: string, en: string) => string): string {
  const long = hours % 24 === 0 && hours >= 48 ? say(`${hours / 24} 天`, `${hours / 24} days`) : say(`${hours} 小时`, `${hours} hours`);
  if (by === '<') return say(`发生不到 ${long}`, `it happened less than ${long} ago`);
  if (by === '<=') return say(`发生不超过 ${long}`, `it happened at most ${long} ago`);
  if (by === '>') return say(`发生已超过 ${long}`, `it happened more than ${long} ago`);
  if (by === '>=') return say(`发生至少 ${long}`, `it happened at least ${long} ago`);
  return say(`发生至今${by === '==' ? '是' : '不是'} ${long}`, `it happened ${by === '==' ? 'exactly' : 'not exactly'} ${long} ago`);
}
