import { nullTranslator } from '@jupyterlab/translation';
import React, { act } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, expect } from 'vitest';

import { Surrounded } from '../src/panel/parts';
import { Way, type Place } from '../src/panel/way';
import { recorded } from './wire';

let root: Root | undefined;
let dispose = (): void => undefined;

afterEach(() => {
  act(() => root?.unmount());
  dispose();
});

/** A part of the panel on a page, over recorded answers. */
export interface IDrawn extends ReturnType<typeof recorded> {
  node: HTMLElement;
  /** The places that it led to. */
  gone: Place[];
  /** What it put into the clipboard. */
  copied: string[];
}

/** Draw a part of the panel over recorded answers; `registry` is one of those of `registries.json`. */
export async function drawn(element: JSX.Element, instead: { [path: string]: string } = {}, registry?: string, trans = nullTranslator.load('nbreg')): Promise<IDrawn> {
  const made = recorded(instead);
  const gone: Place[] = [];
  const copied: string[] = [];
  dispose = () => made.service.dispose();
  await made.service.connect();
  await made.service.near('project/train.ipynb');
  if (registry !== undefined) {
    await made.service.choose(registry);
  }
  const node = document.body.appendChild(document.createElement('div'));
  root = createRoot(node);
  const surroundings = { service: made.service, trans, insertCode: () => '', showCell: () => Promise.resolve(''), copyText: (text: string) => void copied.push(text) };
  const whole = (
    <Surrounded by={surroundings}>
      <Way.Provider value={place => gone.push(place)}>{element}</Way.Provider>
    </Surrounded>
  );
  await act(async () => root?.render(whole));
  await settled();
  return { ...made, node, gone, copied };
}

/** Until nothing is asked or drawn any more. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 10; i++) {
    await act(async () => new Promise(resolve => setTimeout(resolve, 0)));
  }
}

/** The button of that name. */
export function button(node: HTMLElement, name: RegExp): HTMLButtonElement {
  const found = [...node.querySelectorAll('button')].find(each => name.test(each.getAttribute('aria-label') ?? each.textContent ?? ''));
  expect(found, String(name)).toBeDefined();
  return found as HTMLButtonElement;
}

/** The names of all buttons, as a screen reader says them. */
export function buttons(node: HTMLElement): string[] {
  return [...node.querySelectorAll('button')].map(each => each.getAttribute('aria-label') ?? each.textContent ?? '');
}

export async function press(node: HTMLElement, name: RegExp): Promise<void> {
  await act(async () => button(node, name).click());
  await settled();
}

/** Open a section, as a click on its title does. */
export async function open(node: HTMLElement, title: string): Promise<void> {
  const section = [...node.querySelectorAll('details')].find(each => each.querySelector('summary')?.textContent?.startsWith(title));
  expect(section, title).toBeDefined();
  await unfold(section ? [section] : []);
}

/** Open all sections that there are. */
export async function openAll(node: HTMLElement): Promise<void> {
  await unfold([...node.querySelectorAll('details')]);
}

async function unfold(sections: ReadonlyArray<HTMLDetailsElement>): Promise<void> {
  await act(async () => {
    for (const each of sections.filter(one => !one.open)) {
      each.open = true;
      each.dispatchEvent(new Event('toggle'));
    }
  });
  await settled();
}

/** Type into the field with that label. */
export async function type(node: HTMLElement, label: RegExp, text: string): Promise<void> {
  const field = fieldOf(node, label);
  await act(async () => {
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), 'value')?.set?.call(field, text);
    field.dispatchEvent(new Event(field instanceof HTMLSelectElement ? 'change' : 'input', { bubbles: true }));
  });
  await settled();
}

/** The field with that label. */
export function fieldOf(node: HTMLElement, label: RegExp): HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement {
  const found = [...node.querySelectorAll('label')]
    .find(each => label.test(each.textContent ?? ''))
    ?.querySelector<HTMLInputElement>('input, textarea, select');
  expect(found, String(label)).toBeTruthy();
  return found as HTMLInputElement;
}
