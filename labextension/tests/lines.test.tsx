import React, { act } from 'react';
import { expect, it } from 'vitest';

import { Search } from '../src/panel/head';
import { Models } from '../src/panel/models';
import { drawn, press, settled } from './drawing';

const none = (): void => undefined;
const LINE = 'button.jp-nbreg-Model, button.jp-nbreg-Version';

/** The lines that Tab stops at, by what they begin with. */
function stops(node: HTMLElement): string[] {
  return [...node.querySelectorAll<HTMLElement>(LINE)].filter(each => each.tabIndex === 0).map(each => each.querySelector('.jp-nbreg-Name')?.textContent?.trim() ?? '');
}

it('lets Tab stop at one line, where the focus was last, and goes on to what is behind', async () => {
  const { node } = await drawn(<Models text="" isOpen={new Set(['churn'])} onToggle={none} onShow={none} />);
  const [first, , third] = [...node.querySelectorAll<HTMLElement>(LINE)];
  expect(node.querySelectorAll(LINE).length).toBeGreaterThan(3);
  expect(stops(node)).toEqual([first.querySelector('.jp-nbreg-Name')?.textContent]);

  await act(async () => third.focus());
  expect(stops(node)).toEqual([third.querySelector('.jp-nbreg-Name')?.textContent?.trim()]);
  const about = [...node.querySelectorAll<HTMLElement>('button')].find(each => each.textContent === 'About this model');
  expect(about?.tabIndex).toBe(0);
});

it('finds another stop where the line that had it is gone', async () => {
  const { node, gone } = await drawn(<Folding />);
  const versions = [...node.querySelectorAll<HTMLElement>('button.jp-nbreg-Version')];
  await act(async () => versions[1].focus());
  await press(node, /^fold$/);
  await settled();

  expect(node.querySelectorAll('button.jp-nbreg-Version')).toHaveLength(0);
  expect(stops(node)).toEqual(['churn']);
  expect(gone).toEqual([]);
});

it('is reached from the search by the arrow down, unless that goes through words that are being written', async () => {
  const { node } = await drawn(
    <div className="jp-nbreg-Panel">
      <Search of="models" text="" onText={none} />
      <Models text="" isOpen={new Set()} onToggle={none} onShow={none} />
    </div>
  );
  const box = node.querySelector('input') as HTMLInputElement;
  const down = (how: KeyboardEventInit): boolean => box.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowDown', bubbles: true, cancelable: true, ...how }));
  for (const how of [{ isComposing: true }, { shiftKey: true }, { altKey: true }]) {
    await act(async () => box.focus());
    expect(down(how)).toBe(true);
    expect(document.activeElement).toBe(box);
  }
  await act(async () => {
    expect(down({})).toBe(false);
  });
  expect(document.activeElement).toBe(node.querySelector(LINE));
});

/** The models, of which something else opens and closes one. */
function Folding(): JSX.Element {
  const [isOpen, setOpen] = React.useState<ReadonlySet<string>>(new Set(['churn']));
  return (
    <>
      <Models text="" isOpen={isOpen} onToggle={none} onShow={none} />
      <button onClick={() => setOpen(new Set())}>fold</button>
    </>
  );
}
