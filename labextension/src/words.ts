import type { TranslationBundle } from '@jupyterlab/translation';

import type { IEvent, IEvidence, IMove, IVersionItem, IVersionRow } from './contract';

/** A version as people call it. */
export function label(row: { name: string | null; number: number }): string {
  return row.name ?? `#${row.number}`;
}

/** A reference that means the same version after its name was given to another. */
export function byNumber(item: IVersionItem): string {
  return `${item.model}@${item.version.number}`;
}

/** A number in few digits, anything else as text that stays short. */
export function shown(value: unknown, most = 200): string {
  if (typeof value === 'number') {
    return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
  }
  const text = typeof value === 'string' ? value : JSON.stringify(value) ?? '';
  return text.length > most ? `${text.slice(0, most)}…` : text;
}

/** A size in the unit that fits it. */
export function size(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = bytes > 0 ? Math.min(Math.floor(Math.log2(bytes) / 10), units.length - 1) : 0;
  const value = bytes / 2 ** (10 * power);
  return `${value < 10 && power > 0 ? value.toFixed(1) : Math.round(value)} ${units[power]}`;
}

/** `3 minutes ago`, in the language of the page; the exact moment belongs into a title. */
export function ago(moment: string, now = Date.now(), language?: string): string {
  const seconds = (Date.parse(moment) - now) / 1000;
  const format = new Intl.RelativeTimeFormat(language, { numeric: 'auto', style: 'short' });
  for (const [unit, length] of UNITS) {
    if (Math.abs(seconds) >= length) {
      return format.format(Math.trunc(seconds / length), unit);
    }
  }
  return format.format(0, 'second');
}

const UNITS: ReadonlyArray<[Intl.RelativeTimeFormatUnit, number]> = [
  ['year', 365 * 86_400],
  ['month', 30 * 86_400],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60]
];

/** A moment to the second, as the journal has it. */
export function exactly(moment: string): string {
  return `${moment.slice(0, 19).replace('T', ' ')} UTC`;
}

/** What a proof says, in a line. */
export function proofLine(proof: IEvidence | null, trans: TranslationBundle): string {
  if (!proof) {
    return trans.__('not proven yet');
  }
  switch (proof.verdict) {
    case 'equal':
      return trans._n('loads, equal on %1 row', 'loads, equal on %1 rows', proof.rows);
    case 'equivalent':
      return trans._n('loads, equal within rounding on %1 row', 'loads, equal within rounding on %1 rows', proof.rows);
    case 'different':
      return trans.__('loads, but predicts otherwise on %1 of %2 rows', proof.changed, proof.rows);
    case 'loads':
      return trans.__('loads; %1', proof.why);
    default:
      return trans.__('does not load: %1', proof.why);
  }
}

/** What a move would do to the version and to others. */
export function foretold(move: IMove, trans: TranslationBundle): string {
  const mine = `${label(move)}: ${move.before} → ${move.to}`;
  return move.displaced === null
    ? mine
    : `${mine} · ${label({ name: move.displaced_name, number: move.displaced })}: ${move.to} → ${move.displaced_to || trans.__('out of use')}`;
}

/** What happened, in a few words; who, when and why stand beside it. */
export function happened(event: IEvent): string {
  const { facts } = event;
  const text = (name: string): string => (facts[name] === undefined || facts[name] === null ? '' : String(facts[name]));
  const version = text('name') || (event.number === null ? '' : `#${event.number}`);
  const stage = text('stage');
  const was = text('was');
  const parts = [event.kind, version];
  if (stage) {
    parts.push(was && was !== stage ? `${was} → ${stage}` : `→ ${stage}`);
  }
  if (typeof facts['archived'] === 'number') {
    parts.push(`(${text('archived_name') || `#${text('archived')}`} archived)`);
  }
  for (const name of ['alias', 'verdict']) {
    if (text(name)) {
      parts.push(text(name));
    }
  }
  return parts.filter(Boolean).join(' ');
}

/** Whether what was typed is a question in the query language, rather than part of a name. */
export function isQuery(text: string): boolean {
  return /[<>=!"'()[\]]|\b(in|not|and|or)\b/.test(text);
}

/** The metric that most of these versions have: the one to draw. */
export function commonMetric(items: ReadonlyArray<IVersionItem>): string {
  const counts = new Map<string, number>();
  for (const { version } of items) {
    for (const name of Object.keys(version.metrics)) {
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]))[0]?.[0] ?? '';
}

/** Where a sparkline's points lie in a box; of a single value there is no line. */
export function points(values: ReadonlyArray<number>, width: number, height: number): Array<[number, number]> {
  const low = Math.min(...values);
  const span = Math.max(...values) - low;
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  return values.map((value, i) => [i * step, span ? height - ((value - low) / span) * height : height / 2]);
}

/** The code that loads a version, in a kernel beside that registry or anywhere else. */
export function loadingCode(ref: string, location: string | null): string {
  const registry = location === null ? 'nbreg' : `nbreg.Registry(${JSON.stringify(location)})`;
  return `import nbreg\n\nmodel = ${registry}.load(${JSON.stringify(ref)})`;
}

/** Its type without the modules. */
export function className(row: IVersionRow): string {
  return row.type.split('.').pop() ?? row.type;
}
