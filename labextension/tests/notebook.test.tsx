import { nullTranslator } from '@jupyterlab/translation';
import React, { act } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, expect, it, vi } from 'vitest';

import lines from '../../tests/lines.json';
import type { IProduced } from '../src/cards';
import type { IForetold, IHolding, IVersionItem } from '../src/contract';
import { AskedOnce } from '../src/notebook/asked';
import { dependedOn, documentOf, findMaker, isAsRecorded, isOf } from '../src/notebook/cells';
import { RegisterForm } from '../src/notebook/form';
import { ANSWER_MIME, answerOf, literal } from '../src/notebook/kernel';
import { argumentsOf, cellOf, NOTHING, placeholders, toggled, whyNoName } from '../src/notebook/line';
import { Refusal } from '../src/service';
import { byNumber } from '../src/words';
import { wire } from './wire';

const trans = nullTranslator.load('nbreg');
let root: Root | undefined;

afterEach(() => act(() => root?.unmount()));

it.each(lines)('writes a line that Python reads as it was meant: $line', ({ given, line }) => {
  // tests/test_asking.py reads the same lines with the magic's own parser.
  expect(argumentsOf({ ...NOTHING, ...given })).toBe(line);
});

it('loads nbreg first where it is not loaded', () => {
  const given = { ...NOTHING, model: 'churn', variable: 'clf' };

  expect(cellOf(given, true)).toBe('%register_model churn clf');
  expect(cellOf(given, false)).toBe('%load_ext nbreg\n%register_model churn clf');
});

it('takes no flag for a name', () => {
  expect([whyNoName('churn'), whyNoName('  '), whyNoName('--force')]).toEqual(['', 'empty', 'dash']);
});

it('adds a metric to the list, and takes it away', () => {
  expect(toggled('', 'auc')).toBe('auc');
  expect(toggled('auc=0.9,  f1', 'auc')).toBe('auc=0.9, f1, auc');
  expect(toggled('auc=0.9, f1, auc', 'auc')).toBe('auc=0.9, f1');
});

it('knows a cell as it was recorded, secrets withheld', () => {
  expect(isAsRecorded('clf.fit(X)\n', 'clf.fit(X)')).toBe(true);
  expect(isAsRecorded('clf.fit(X) ', 'clf.fit(X, y)')).toBe(false);
  const recorded = "a = login('‹redacted: password›')\nb = '‹redacted: token›'";
  expect(isAsRecorded("a = login('hunter2')\nb = 'abc'", recorded)).toBe(true);
  expect(isAsRecorded("a = logon('hunter2')\nb = 'abc'", recorded)).toBe(false);
  expect(isAsRecorded("a = login('x')\nc = 'abc'", recorded)).toBe(false);
  expect(isAsRecorded("b = '", "b = '‹redacted: token›'")).toBe(false);
});

const item = wire('version').answer.item as IVersionItem;

/** An output of that version; of another registry, of nobody knows which one. */
function output(told: Partial<IProduced> = {}): IProduced {
  const { type, bump_reason, id } = item.version;
  return { ref: byNumber(item), title: item.ref, id, registry: 'r', type, bump_reason, ...told };
}

it('knows an output by the id of its version, and without one by what never changes', () => {
  expect(isOf(output(), item)).toBe(true);
  expect(isOf(output({ id: 'f'.repeat(64) }), item)).toBe(false); // another registry's, with the same number
  expect(isOf(output({ id: '' }), item)).toBe(true);
  expect(isOf(output({ id: '', bump_reason: 'another' }), item)).toBe(false);
  expect(isOf(output({ id: '', type: 'another' }), item)).toBe(false);
  expect(isOf(output({ ref: 'churn@9' }), item)).toBe(false);
  expect(isOf(null, item)).toBe(false);
});

it('finds the cell that made a version by id, else by what it shows, else by its text', () => {
  const cells = [
    { id: 'a', source: 'x = 1', produced: output({ id: 'f'.repeat(64) }) },
    { id: 'b', source: '%register_model churn', produced: null },
    { id: 'c', source: '%register_model churn', produced: output() }
  ];
  const shownNowhere = { ...item, model: 'other' };

  expect(findMaker(cells, { cell_id: 'b', source: 'other' }, item)).toBe(1);
  expect(findMaker(cells, { cell_id: 'gone', source: '%register_model churn' }, item)).toBe(2);
  expect(findMaker(cells, { cell_id: '', source: 'x = 1\n' }, shownNowhere)).toBe(0);
  expect(findMaker(cells, { cell_id: '', source: '' }, shownNowhere)).toBe(-1);
});

it('says which cells a recipe depends on, as they ran last', () => {
  const cells = ['a', 'b', 'c', 'd'].map(id => ({ id, source: `${id} = 1`, produced: null }));
  const recorded = [
    { cell_id: 'a', source: 'a = 0' },
    { cell_id: 'a', source: 'a = 1' },
    { cell_id: 'b', source: 'b = 2' },
    { cell_id: '', source: 'd = 1' }
  ];

  expect(dependedOn(cells, recorded)).toEqual(['same', 'edited', null, 'same']);
});

it('tells the code cells of a document, and of a huge one only which there are', () => {
  const cell = (id: string, type: string, source: string): never => ({ model: { id, type, sharedModel: { getSource: () => source } } }) as never;

  expect(documentOf([cell('a', 'code', 'x'), cell('b', 'markdown', 'y')])).toEqual([['a', 'x']]);
  expect(documentOf([cell('a', 'code', 'x'.repeat(2 ** 20)), cell('b', 'code', 'y')])).toEqual([
    ['a', null],
    ['b', null]
  ]);
});

it('writes texts as Python reads them', () => {
  expect(literal('a"b\\\n\u0000é')).toBe('"a\\"b\\\\\\n\\u0000é"');
});

it('says what stands against an answer of the kernel, and what to do', () => {
  const reply = (it: unknown): never => ({ status: 'ok', execution_count: 1, user_expressions: { nbreg: it } }) as never;
  const refused = (it: never): Refusal => {
    try {
      answerOf(it, trans);
    } catch (error) {
      return error as Refusal;
    }
    throw new Error('an answer');
  };

  expect(answerOf(reply({ status: 'ok', data: { [ANSWER_MIME]: { loaded: true } } }), trans)).toEqual({ loaded: true });
  expect(refused(reply({ ename: 'ModuleNotFoundError', evalue: "No module named 'nbreg'" })).code).toBe('no-nbreg');
  expect(refused(reply({ ename: 'ModuleNotFoundError', evalue: "No module named 'nbreg.kernel.asking'" })).code).toBe('old-nbreg');
  expect(refused(reply({ ename: 'KeyError', evalue: 'x' })).message).toBe('KeyError: x');
  expect(refused({ status: 'aborted' } as never).code).toBe('no-answer');
});

it('asks once, and keeps an answer until the next one is there', async () => {
  const asked: string[] = [];
  let told = 0;
  const once = new AskedOnce(
    async ref => {
      asked.push(ref);
      return asked.length;
    },
    () => (told += 1)
  );

  expect([once.get('a'), once.get('a')]).toEqual([undefined, undefined]);
  await Promise.resolve();
  expect(once.get('a')).toBe(1);
  once.refresh(ref => ref === 'a');
  expect(once.get('a')).toBe(1);
  await Promise.resolve();
  expect([once.get('a'), asked, told]).toEqual([2, ['a', 'a'], 2]);
});

it('keeps that there is no answer, and asks again later where nobody answered', async () => {
  vi.useFakeTimers();
  const refusals = [new Refusal('registry-busy', 'busy', '', 503), new Refusal('no-connection', 'gone'), new Refusal('unknown-version', 'none', '', 404)];
  let asked = 0;
  const once = new AskedOnce<string>(
    () => Promise.reject(refusals[asked++]),
    () => once.get('a'),
    { first: 10, most: 15 }
  );

  once.get('a');
  await vi.advanceTimersByTimeAsync(9);
  expect([asked, once.get('a')]).toEqual([1, undefined]);
  await vi.advanceTimersByTimeAsync(1);
  expect(asked).toBe(2);
  await vi.advanceTimersByTimeAsync(15); // twice as long, but not longer than that
  expect([asked, once.get('a')]).toEqual([3, null]);
  await vi.advanceTimersByTimeAsync(1000);
  expect(asked).toBe(3);

  asked = 0;
  once.refresh(() => true);
  once.get('a');
  await vi.advanceTimersByTimeAsync(1);
  once.dispose();
  await vi.advanceTimersByTimeAsync(1000);
  expect(asked).toBe(1); // nobody asks for what is gone
  vi.useRealTimers();
});

it('says what of a text the kernel fills in', () => {
  expect(placeholders(NOTHING)).toEqual([]);
  expect(placeholders({ ...NOTHING, model: 'churn-{date}', version: '{', message: 'on {date} with {{x}}' })).toEqual(['{date}', '{x}']);
});

const HOLDING: IHolding = {
  loaded: true,
  registry: '/r',
  models: [
    { variable: 'scaler', type: 'sklearn.preprocessing.StandardScaler', fitted: true, last: false, ref: 'scale@1', name: 'scale@1.0.0', unknown: '' },
    { variable: 'clf', type: 'evil.<img src=x>', fitted: false, last: true, ref: '', name: '', unknown: '' }
  ],
  known: ['churn'],
  stages: ['none', 'staging'],
  numbers: ['auc', 'ratio'],
  refusal: ''
};

interface IDrawn {
  node: HTMLElement;
  cells: string[];
  previewed: string[];
  /** The kernel begins anew. */
  restart: () => void;
}

async function drawn(hold: () => Promise<IHolding>, answer?: IForetold): Promise<IDrawn> {
  const node = document.body.appendChild(document.createElement('div'));
  const made: IDrawn = { node, cells: [], previewed: [], restart: () => undefined };
  const preview = async (line: string): Promise<IForetold> => {
    made.previewed.push(line);
    return answer ?? { facts: [], tables: [], gaps: [], refusal: '' };
  };
  const follow = (told: () => void): (() => void) => {
    made.restart = told;
    return () => undefined;
  };
  root = createRoot(node);
  await act(async () => root?.render(<RegisterForm hold={hold} preview={preview} follow={follow} onRegister={cell => made.cells.push(cell)} onCancel={() => undefined} />));
  return made;
}

async function fill(node: HTMLElement, label: RegExp, text: string): Promise<void> {
  const field = [...node.querySelectorAll('label')].find(each => label.test(each.textContent ?? ''))?.querySelector('input');
  expect(field, String(label)).toBeTruthy();
  await act(async () => {
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')?.set?.call(field, text);
    field?.dispatchEvent(new Event('input', { bubbles: true }));
  });
}

async function press(node: HTMLElement, name: string): Promise<void> {
  const button = [...node.querySelectorAll('button')].find(each => each.textContent === name);
  expect(button, name).toBeDefined();
  await act(async () => button?.click());
}

const isOff = (node: HTMLElement): boolean => (node.querySelector('[type=submit]') as HTMLButtonElement).disabled;

it('chooses the model trained last, says what is known of each, and gives a line', async () => {
  const { node, cells } = await drawn(() => Promise.resolve(HOLDING));

  const texts = [...node.querySelectorAll('.jp-nbreg-Held label')].map(each => each.textContent);
  expect(texts).toEqual(['clf <img src=x> trained last · never fitted', 'scaler StandardScaler is scale@1.0.0 already']);
  expect(node.querySelector('img')).toBeNull();
  expect(isOff(node)).toBe(true);

  await fill(node, /^Model$/, 'churn');
  await press(node, 'auc');
  await fill(node, /^Message/, 'it\'s "it"');
  expect(node.querySelector('.jp-nbreg-Typed code')?.textContent).toBe('%register_model churn clf --metrics auc --message "it\'s \\"it\\""');
  expect(isOff(node)).toBe(false);
  expect(node.querySelector('[role=note]')).toBeNull();
  await press(node, 'Register');

  expect(cells).toEqual(['%register_model churn clf --metrics auc --message "it\'s \\"it\\""']);
});

it('shows what would be stored as text, and only of the line that was asked', async () => {
  const answer: IForetold = {
    facts: [['artifacts', 'model <b>x</b>']],
    tables: [{ title: 'variables: 1 recorded', columns: ['variable'], rows: [['<script>']], more: '' }],
    gaps: ['data (not known)'],
    refusal: ''
  };
  const { node, previewed } = await drawn(() => Promise.resolve(HOLDING), answer);
  await fill(node, /^Model$/, 'churn');
  await press(node, 'Preview');

  expect(previewed).toEqual(['churn clf']);
  expect(node.querySelector('.jp-nbreg-Preview')?.textContent).toContain('model <b>x</b>');
  expect(node.querySelector('.jp-nbreg-Preview script, .jp-nbreg-Preview b')).toBeNull();
  await fill(node, /^Model$/, 'churn2');
  expect(node.querySelector('.jp-nbreg-Preview')).toBeNull();
});

it('says that braces are filled in, before the cell runs', async () => {
  const { node } = await drawn(() => Promise.resolve(HOLDING));

  await fill(node, /^Model$/, 'churn-{date}');

  expect(node.querySelector('[role=note]')?.textContent).toContain('The kernel fills in {date} when the cell runs');
});

it('shows why a line would be refused', async () => {
  const { node } = await drawn(() => Promise.resolve(HOLDING), { facts: [], tables: [], gaps: [], refusal: 'there is a 1.0.0 already' });
  await fill(node, /^Model$/, 'churn');
  await press(node, 'Preview');

  expect(node.querySelector('[role=alert]')?.textContent).toBe('there is a 1.0.0 already');
});

it('explains a kernel that cannot answer, and tries again', async () => {
  let tries = 0;
  const { node } = await drawn(() => (tries++ ? Promise.resolve(HOLDING) : Promise.reject(new Refusal('no-nbreg', 'nbreg is not installed', '%pip install nbreg'))));

  expect(node.querySelector('[role=alert]')?.textContent).toContain('nbreg is not installed%pip install nbreg');
  expect(isOff(node)).toBe(true);
  await press(node, 'Try again');
  expect(node.querySelector('[role=alert]')).toBeNull();
  expect(node.querySelectorAll('.jp-nbreg-Held label').length).toBe(2);
});

it('asks a kernel that began anew what it holds now, and keeps what was typed', async () => {
  let holding: IHolding = HOLDING;
  const made = await drawn(() => Promise.resolve(holding));
  await fill(made.node, /^Model$/, 'churn');
  holding = { ...HOLDING, loaded: false, models: [{ ...HOLDING.models[0], variable: 'other' }] };

  await act(async () => made.restart());

  expect(made.node.querySelector('.jp-nbreg-Typed code')?.textContent).toBe('%load_ext nbreg\n%register_model churn other');
});
