import { listed } from '../words';

/** What somebody filled in, as the form has it: all of it text. */
export interface IFilledIn {
  model: string;
  variable: string;
  version: string;
  metrics: string;
  tags: string;
  stage: string;
  reason: string;
  message: string;
}

export const NOTHING: IFilledIn = { model: '', variable: '', version: '', metrics: '', tags: '', stage: '', reason: '', message: '' };

/** What stands bare on a line, for a shell's eye and for Python's; anything else stands in quotes. */
const BARE = /^[\p{L}\p{N}_./@:=,+-]+$/u;

/** Controls, and whatever Python takes for the end of a line: a magic is one line. */
const NO_LINE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g;

const HALF_A_CHARACTER = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** The arguments of `%register_model` that mean what was filled in. */
export function argumentsOf(given: IFilledIn): string {
  const words = [word(given.model), word(given.variable)];
  for (const [flag, text] of [
    ['--version', given.version],
    ['--metrics', spaceless(given.metrics)],
    ['--tags', given.tags],
    ['--stage', given.stage],
    ['--reason', given.reason],
    ['--message', given.message]
  ]) {
    const value = oneLine(text);
    if (value) {
      // What begins with a dash would be taken for a flag of its own.
      words.push(value.startsWith('-') ? `${flag}=${quoted(value)}` : `${flag} ${word(value)}`);
    }
  }
  return words.join(' ');
}

/** The cell that registers it; in a kernel where nbreg is not loaded it loads it first. */
export function cellOf(given: IFilledIn, isLoaded: boolean): string {
  const line = `%register_model ${argumentsOf(given)}`;
  return isLoaded ? line : `%load_ext nbreg\n${line}`;
}

/** Why it cannot be a model's name; empty where it can. The kernel decides in the end. */
export function whyNoName(name: string): '' | 'empty' | 'dash' {
  const text = oneLine(name);
  return text === '' ? 'empty' : text.startsWith('-') ? 'dash' : '';
}

/** What the magic fills in when the cell runs: every `{x}` of what was filled in, each once. */
export function placeholders(given: IFilledIn): string[] {
  return [...new Set(Object.values(given).flatMap((text: string) => oneLine(text).match(/\{[^{}]*\}/g) ?? []))];
}

/** With `name` in a list with commas, or without it where it was there. */
export function toggled(list: string, name: string): string {
  const names = listed(list);
  const left = names.filter(each => each !== name);
  return (left.length < names.length ? left : [...names, name]).join(', ');
}

/** Text on one line, without what no line can hold. */
export function oneLine(text: string): string {
  return text.replace(HALF_A_CHARACTER, '\ufffd').replace(NO_LINE, ' ').trim();
}

/** `a, b=0.9` as one word. */
function spaceless(list: string): string {
  return listed(list).join(',');
}

function word(text: string): string {
  const line = oneLine(text);
  return BARE.test(line) ? line : quoted(line);
}

/** In double quotes, which a shell's rules, and Python's, end at the same place. */
function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&')}"`;
}
