/**
 * Cards of versions and differences, from what a saved output holds: its JSON for what it is about, its plain
 * twin for what it says. No kernel, no server and no trust is needed, since all of it is set as text.
 */

/** Somebody wants to see a version: `detail` is an `IWanted`. It bubbles up to whoever has a sidebar. */
export const OPEN = 'nbreg:open';

/** A version that somebody wants to see. */
export interface IWanted {
  ref: string;
  /** The id of the registry that it is in; empty where nobody said. */
  registry: string;
}

export const VERSION_MIME = 'application/vnd.nbreg.version+json';
/** All there is to say about a version: its HTML has more folded in it than a card says, so nothing here draws it. */
export const DETAIL_MIME = 'application/vnd.nbreg.detail+json';
export const DIFF_MIME = 'application/vnd.nbreg.diff+json';

interface IVersionJson {
  model?: unknown;
  number?: unknown;
  name?: unknown;
  [name: string]: unknown;
}

/** The version that an output is about, by number, which no other version ever has. */
export function referenceOf(json: IVersionJson | undefined): string {
  const { model, number } = json ?? {};
  return typeof model === 'string' && typeof number === 'number' ? `${model}@${number}` : '';
}

/** The version that an output shows, as the output and what was told beside it say; null where it is about none. */
export interface IProduced extends IWanted {
  /** As people call it. */
  title: string;
  /** The version's own id; empty where the kernel had not loaded nbreg, and nobody told it. */
  id: string;
  type: string;
  bump_reason: string;
}

/** Reads an output's JSON and the metadata beside it. */
export function producedOf(json: IVersionJson, metadata: { readonly [mime: string]: unknown } = {}): IProduced | null {
  const ref = referenceOf(json);
  const told = (metadata[VERSION_MIME] ?? {}) as { id?: unknown; registry?: unknown };
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  return ref === ''
    ? null
    : {
        ref,
        title: `${String(json.model)} ${text(json.name) || `#${String(json.number)}`}`,
        id: text(told.id),
        registry: text(told.registry),
        type: text(json['type']),
        bump_reason: text(json['bump_reason'])
      };
}

/** Ask whoever has a sidebar to show a version. */
export function ask(node: HTMLElement, wanted: IWanted): void {
  node.dispatchEvent(new CustomEvent<IWanted>(OPEN, { bubbles: true, composed: true, detail: { ref: wanted.ref, registry: wanted.registry } }));
}

/** The card of a version. */
export function versionCard(json: IVersionJson, plain: string, metadata: { readonly [mime: string]: unknown } = {}): HTMLElement {
  const card = element('div', 'jp-nbreg-Card');
  const [first, ...rest] = (plain || plainOf(json)).split('\n');
  const [title, ...headline] = first.split(' · ');
  const model = String(json.model ?? '');
  const head = element('div', 'jp-nbreg-CardHead');
  const name = element('button', 'jp-nbreg-CardName', model || title) as HTMLButtonElement;
  name.type = 'button';
  const produced = producedOf(json, metadata);
  name.disabled = !produced;
  name.addEventListener('click', () => produced && ask(name, produced));
  head.append(name, element('span', '', ` ${model && title.startsWith(model) ? title.slice(model.length).trim() : ''}`));
  card.append(head);
  if (headline.length > 0) {
    card.append(element('div', 'jp-nbreg-quiet', headline.join(' · ')));
  }
  card.append(...lines(rest));
  return card;
}

/** A difference between two versions. */
export function diffCard(json: { [name: string]: unknown }, plain: string): HTMLElement {
  const card = element('div', 'jp-nbreg-Card jp-nbreg-mod-diff');
  const [first, ...rest] = (plain || plainOfDiff(json)).split('\n');
  card.append(element('div', 'jp-nbreg-CardHead', first));
  let isVerdict = true;
  let code: HTMLElement | null = null;
  for (const line of rest) {
    if (line.startsWith('      ')) {
      code = code ?? card.appendChild(element('pre', ''));
      code.append(element('span', signed(line.trimStart()), `${line.slice(6)}\n`));
      continue;
    }
    code = null;
    if (/^ {2}[~+=-] /.test(line)) {
      isVerdict = false;
      const item = element('div', 'jp-nbreg-CardItem');
      item.append(element('span', signed(line[2]), line[2] === '-' ? '−' : line[2]), ` ${line.slice(4)}`);
      card.append(item);
    } else if (line.startsWith(' ') || /^(not compared|nothing differs)/.test(line)) {
      card.append(element('div', 'jp-nbreg-quiet', line.trim()));
    } else if (isVerdict && line.includes(' ')) {
      card.append(element('div', 'jp-nbreg-Note', line));
    } else {
      isVerdict = false;
      card.append(element('div', 'jp-nbreg-CardPart', line));
    }
  }
  return card;
}

/** Facts as a table, remarks as they are. */
function lines(rest: string[]): HTMLElement[] {
  const found: HTMLElement[] = [];
  let facts: HTMLElement | null = null;
  for (const line of rest) {
    const fact = /^ {2}(\S.*?) {2,}(\S.*)$/.exec(line);
    if (fact) {
      if (!facts) {
        facts = element('dl', 'jp-nbreg-Facts');
        found.push(facts);
      }
      facts.append(element('dt', '', fact[1]), element('dd', '', fact[2]));
    } else if (line.trim()) {
      facts = null;
      found.push(element('div', 'jp-nbreg-Note', line.trim()));
    }
  }
  return found;
}

function plainOf(json: IVersionJson): string {
  const told = (value: unknown): string =>
    value && typeof value === 'object'
      ? Object.entries(value)
          .map(([name, each]) => (Array.isArray(value) ? String(each) : `${name} ${String(each)}`))
          .join(', ')
      : String(value ?? '');
  const facts = ['stage', 'aliases', 'metrics', 'params', 'type', 'tags', 'message', 'description']
    .map(name => [name, told(json[name])] as const)
    .filter(([, text]) => text)
    .map(([name, text]) => `  ${name.padEnd(11)}  ${text}`);
  const title = json.name ? `${String(json.name)} (#${String(json.number)})` : `#${String(json.number)}`;
  return [`${String(json.model ?? '')} ${title}`, ...facts].join('\n');
}

function plainOfDiff(json: { [name: string]: unknown }): string {
  const sections = Array.isArray(json['sections']) ? (json['sections'] as Array<{ name?: unknown; changed?: unknown }>) : [];
  const told = sections.flatMap(each =>
    Array.isArray(each.changed) && each.changed.length ? [String(each.name), ...each.changed.map(name => `  ~ ${String(name)}`)] : []
  );
  return [`${String(json['before'])} → ${String(json['after'])}`, String(json['bump_reason'] ?? ''), ...told].filter(Boolean).join('\n');
}

function signed(line: string): string {
  const kinds: { [sign: string]: string } = { '+': 'added', '-': 'removed', '~': 'changed', '@': 'quiet' };
  const kind = kinds[line[0]];
  return kind ? `jp-nbreg-mod-${kind}` : '';
}

function element(tag: string, className: string, text = ''): HTMLElement {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}
