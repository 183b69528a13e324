import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it } from 'vitest';

import type { IEvent, IMove, IVersionItem } from '../src/contract';
import { webPage } from '../src/panel/way';
import { ago, commonMetric, foretold, happened, isQuery, lasted, loadingCode, points, readNumbers, readObject, runQuery, shown, size } from '../src/words';
import { wire } from './wire';

const trans = nullTranslator.load('nbreg');

describe('words', () => {
  it.each([
    ['churn', false],
    ['risk/churn', false],
    ['order-2', false],
    ['metrics.auc > 0.9', true],
    ['"eu" in tags', true],
    ['not proof', true]
  ])('takes %s for a query: %s', (text, expected) => expect(isQuery(text)).toBe(expected));

  it('shows numbers in few digits and texts that end', () => {
    expect([shown(0.97902097), shown(3), shown('x'.repeat(300)).length, shown({ a: 1 }), shown(undefined)]).toEqual(['0.979', '3', 201, '{"a":1}', '']);
    expect([0, 999, 1536, 99_960, 5e9, 4e15].map(size)).toEqual(['0 B', '999 B', '1.5 kB', '100 kB', '5.0 GB', '4000.0 TB']);
  });

  it.each([
    ['2026-02-09T11:59:58Z', 'now'],
    ['2026-02-09T12:04:00Z', 'now'], // by a clock that is ahead
    ['2026-02-09T11:58:59Z', '1 min ago'],
    ['2026-02-09T09:00:00Z', '3 h ago'],
    ['2026-02-08T11:00:00Z', '1 day ago'],
    ['2026-01-11T12:00:00Z', '29 days ago'],
    ['2026-01-10T12:00:00Z', '1 mo. ago'],
    ['2025-02-10T12:00:00Z', '12 mo. ago'],
    ['2024-02-09T12:00:00Z', '2 years ago']
  ])('says how long ago it was: %s', (moment, said) => expect(ago(moment, trans, Date.parse('2026-02-09T12:00:00Z'))).toBe(said));

  it('tells each event of the record with what it did', () => {
    const told = (wire('events').answer.events as IEvent[]).map(happened);

    expect(told).toContain('promoted 1.1.0 none → production (1.0.0 archived)');
    expect(told).toContain('alias-set 1.0.0 fallback');
    expect(told).toContain('proved 1.1.0 loads');
  });

  it('foretells what a move does to others', () => {
    const moves = wire('version').answer.moves as IMove[];

    expect(moves.map(each => foretold(each, trans))).toContain('1.0.0: archived → production · 1.1.0: production → archived');
  });

  it('draws the metric that most versions have, inside its box', () => {
    const items = wire('versions').answer.versions as IVersionItem[];

    expect(commonMetric(items)).toBe('auc');
    expect(points([1, 3, 2], 100, 20)).toEqual([
      [0, 20],
      [50, 0],
      [100, 10]
    ]);
    expect(points([2, 2], 100, 20)).toEqual([
      [0, 10],
      [100, 10]
    ]);
  });

  it('writes code that is a string of Python whatever the folder is called', () => {
    expect(loadingCode('churn@1.0.0', null)).toBe('import nbreg\n\nmodel = nbreg.load("churn@1.0.0")');
    expect(loadingCode('churn@1.0.0', '/srv/a "b"')).toContain('nbreg.Registry("/srv/a \\"b\\"").load(');
  });
});

describe('what was typed', () => {
  it.each<[string, unknown]>([
    ['', {}],
    ['{"a": [1]}', { a: [1] }],
    ['[1]', null],
    ['null', null],
    ['{"a"', null]
  ])('is a JSON object or none: %s', (text, expected) => expect(readObject(text)).toEqual(expected));

  it.each<[string, unknown]>([
    ['auc = 0.9\n\n f1=1e-3 ', { auc: 0.9, f1: 0.001 }],
    ['a=b = 1', { 'a=b': 1 }],
    ['auc', null],
    ['auc = ', null],
    ['= 1', null],
    ['auc = high', null],
    ['auc = Infinity', null]
  ])('is names and numbers or none: %s', (text, expected) => expect(readNumbers(text) && { ...readNumbers(text) }).toEqual(expected));

  it('finds runs by a part of a name, or by a query as it is', () => {
    expect([runQuery(' '), runQuery('state == "failed"')]).toEqual(['', 'state == "failed"']);
    expect(runQuery('fit')).toContain('"fit" in name or ');
  });

  it.each([
    ['https://a.example/b', 'a.example'],
    ['HTTP://a.example', 'a.example'],
    ['javascript:alert(1)', undefined],
    [' javascript:alert(1)', undefined],
    ['//a.example', undefined],
    ['mailto:a@b.example', undefined]
  ])('is an address of the web or none: %s', (text, host) => expect(webPage(text)?.host).toBe(host));
});

it('says how long something took', () => {
  const took = (seconds: number): string => lasted('2026-02-09T10:00:00Z', new Date(Date.parse('2026-02-09T10:00:00Z') + seconds * 1000).toISOString());

  expect([took(0.25), took(59), took(75), took(7380), lasted('2026-02-09T10:00:00Z', '')]).toEqual(['0.25 s', '59 s', '1 min 15 s', '2 h 3 min', '']);
});
