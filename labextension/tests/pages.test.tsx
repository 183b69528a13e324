import React, { act } from 'react';
import { afterEach, expect, it, vi } from 'vitest';

import { AllEvents } from '../src/panel/events';
import { usePages, type IPages, type IPart } from '../src/panel/pages';
import { Split } from '../src/panel/split';
import { drawn, press, settled } from './drawing';
import { wire } from './wire';

afterEach(() => void vi.restoreAllMocks());

/** A page that was asked for, and is answered when a test says so. */
interface IOpen {
  offset: number;
  answer: () => Promise<void>;
}

/** A thousand numbers, in pages that come when they are told to. */
async function pages(): Promise<{ known: () => IPages<number>; open: IOpen[]; ask: (question: string) => Promise<void> }> {
  const open: IOpen[] = [];
  const read = (offset: number, limit: number): Promise<IPart<number>> =>
    new Promise(resolve => {
      const items = Array.from({ length: limit }, (_, i) => offset + i);
      open.push({ offset, answer: async () => act(async () => resolve({ items, total: 1000 })) });
    });
  let known: IPages<number> | undefined;
  let choose: (question: string) => void = () => undefined;
  function List(): JSX.Element {
    const [question, setQuestion] = React.useState('newest first');
    choose = setQuestion;
    known = usePages(read, question, () => false);
    return <p>{known.total}</p>;
  }
  await drawn(<List />);
  return { known: () => known as IPages<number>, open, ask: question => act(async () => choose(question)) };
}

it('keeps a page that came while all others were read anew', async () => {
  const { known, open } = await pages();
  await open[0].answer();
  await act(async () => known().again());
  await act(async () => known().need(300, 330));
  expect(open.map(each => each.offset)).toEqual([0, 0, 300]);

  await open[2].answer();
  await open[1].answer();

  expect(known().at(310)).toBe(310);
});

it('reads what is in view anew where the question is another one', async () => {
  const { known, open, ask } = await pages();
  await open[0].answer();
  await act(async () => known().need(300, 330));
  await open[1].answer();
  await ask('best first');

  expect(open.slice(2).map(each => each.offset)).toEqual([0, 300]);
  await open[2].answer();
  await open[3].answer();
  expect(known().at(310)).toBe(310);
});

it('leaves events where they are while older ones are read', async () => {
  const answer = wire('events').answer;
  const saved = answer.more;
  answer.more = true;
  const { node, answers, requests } = await drawn(<AllEvents />);
  const listed = (): number => node.querySelectorAll('[aria-label=Events] > li').length;
  const before = listed();
  answers['events'] = 'refused-read-only';
  await press(node, /^Show older$/);
  answer.more = saved;

  expect(requests[requests.length - 1]).toMatchObject({ path: 'events', asked: { limit: '200' } });
  expect(before).toBeGreaterThan(0);
  expect(listed()).toBe(before);
  expect(node.querySelector('[role=alert]')).not.toBeNull();
});

it('shows both halves of traffic that is shared out evenly', async () => {
  const complaints = vi.spyOn(console, 'error');
  const split = { weights: { production: 0.5, fallback: 0.5 }, at: '2026-02-09T10:30:00.000000Z', by: 'ada' };
  const { node } = await drawn(<Split model="churn" split={split} onChanged={() => undefined} />);
  await settled();

  expect([...node.querySelectorAll('dl > *')].map(each => each.textContent)).toEqual(['50 %', 'production', '50 %', 'fallback']);
  expect(complaints).not.toHaveBeenCalled();
});
