import type { TranslationBundle } from '@jupyterlab/translation';

import type { IEvent, IEvidence, IMove, IRunRecord, IVersionItem, IVersionRow } from './contract';

/** A version as people call it. */
export function label(row: { name: string | null; number: number }): string {
  return row.name ?? `#${row.number}`;
}

/**
 * A version as this page asks for it: what is pressed is about the same one after its name was given to another.
 * People are told, and given for their code, its `ref`: the name, where it has one.
 */
export function byNumber(item: IVersionItem): string {
  return `${item.model}@${item.version.number}`;
}

/** The model of a reference. */
export function modelOf(ref: string): string {
  return ref.slice(0, ref.indexOf('@'));
}

/** What was typed with commas, or whatever else, between. */
export function listed(text: string, between = ','): string[] {
  return text
    .split(between)
    .map(each => each.trim())
    .filter(Boolean);
}

/** A number in few digits, anything else as text that stays short. */
export function shown(value: unknown, most = 200): string {
  if (typeof value === 'number') {
    return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
  }
  const text = typeof value === 'string' ? value : JSON.stringify(value) ?? '';
  return text.length > most ? `${text.slice(0, most)}…` : text;
}

/** A size in the unit that fits it, as the cards in a notebook have it. */
export function size(bytes: number): string {
  let value = bytes;
  for (const unit of ['B', 'kB', 'MB', 'GB']) {
    if (value < 999.5) {
      return `${unit === 'B' || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${unit}`;
    }
    value /= 1000;
  }
  return `${value.toFixed(1)} TB`;
}

/**
 * `3 h ago`, in the language that all the rest is in, which need not be the browser's; the exact moment belongs into a title.
 *
 * What another clock says to come was just now.
 */
export function ago(moment: string, trans: TranslationBundle, now = Date.now()): string {
  const minutes = Math.max(0, Math.floor((now - Date.parse(moment)) / 60_000));
  const [hours, days] = [Math.floor(minutes / 60), Math.floor(minutes / 1440)];
  if (days >= 365) {
    return trans._n('%1 year ago', '%1 years ago', Math.floor(days / 365));
  }
  if (days >= 30) {
    return trans._n('%1 mo. ago', '%1 mo. ago', Math.floor(days / 30));
  }
  if (days >= 1) {
    return trans._n('%1 day ago', '%1 days ago', days);
  }
  if (hours >= 1) {
    return trans._n('%1 h ago', '%1 h ago', hours);
  }
  return minutes >= 1 ? trans._n('%1 min ago', '%1 min ago', minutes) : trans.__('now');
}

/** A moment to the second, as the journal has it. */
export function exactly(moment: string): string {
  return `${moment.slice(0, 19).replace('T', ' ')} UTC`;
}

/** How long something took that has ended. */
export function lasted(from: string, to: string): string {
  const seconds = (Date.parse(to) - Date.parse(from)) / 1000;
  if (!Number.isFinite(seconds)) {
    return '';
  }
  const [minutes, hours] = [Math.floor(seconds / 60), Math.floor(seconds / 3600)];
  return hours ? `${hours} h ${minutes % 60} min` : minutes ? `${minutes} min ${Math.floor(seconds % 60)} s` : `${Number(seconds.toPrecision(2))} s`;
}

/** A run as people call it. */
export function runName(run: Pick<IRunRecord, 'name' | 'id'>): string {
  return run.name || shortRun(run.id);
}

/** A run's id as it is shown: its time to a fraction of a microsecond, since a loop starts several in one millisecond. */
export function shortRun(id: string): string {
  return id.slice(0, 16);
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
    parts.push(`(${text('archived_name') || `#${text('archived')}`} ${text('archived_to') || 'archived'})`);
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
  return commonest(items.map(({ version }) => version.metrics));
}

/** The name that most of these have. */
export function commonest(all: ReadonlyArray<{ [name: string]: unknown }>): string {
  const counts = new Map<string, number>();
  for (const each of all) {
    for (const name of Object.keys(each)) {
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]))[0]?.[0] ?? '';
}

/** What was typed, as a JSON object; null where it is none. */
export function readObject(text: string): { [name: string]: unknown } | null {
  try {
    const value: unknown = JSON.parse(text.trim() || '{}');
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as { [name: string]: unknown }) : null;
  } catch {
    return null;
  }
}

/** What was typed, as names and numbers, one a line; null where a line is neither. */
export function readNumbers(text: string): { [name: string]: number } | null {
  const found = Object.create(null) as { [name: string]: number };
  for (const line of text.split('\n').filter(each => each.trim())) {
    const at = line.lastIndexOf('=');
    const [name, value] = [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    if (at < 1 || name === '' || value === '' || !Number.isFinite(Number(value))) {
      return null;
    }
    found[name] = Number(value);
  }
  return found;
}

/** The question that runs are searched with: a query as it is, else what has the words in its name. */
export function runQuery(text: string): string {
  const words = text.trim();
  if (words === '' || isQuery(words)) {
    return words;
  }
  const quoted = JSON.stringify(words);
  return ['name', 'experiment', 'id', 'place'].map(field => `${quoted} in ${field}`).join(' or ');
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
