import { nullTranslator, type TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import { expect, it } from 'vitest';

import { Diff } from '../src/panel/diff';
import { Datasets } from '../src/panel/datasets';
import { Drafts } from '../src/panel/drafts';
import { AllEvents } from '../src/panel/events';
import { Head, NamesOfLists, Search, WayBack } from '../src/panel/head';
import { Model } from '../src/panel/model';
import { Models } from '../src/panel/models';
import { Run, Runs } from '../src/panel/runs';
import { Upkeep } from '../src/panel/upkeep';
import { Version } from '../src/panel/version';
import { drawn, openAll } from './drawing';
import { everyText } from './wire';

const none = (): void => undefined;

/** From which argument on something is filled in. */
const FILLED: { [name: string]: number } = { __: 1, _n: 2 };

/** A translator that puts all that goes through it into brackets; what is filled in comes back out of them. */
const marking = new Proxy(nullTranslator.load('nbreg'), {
  get: (bundle, name: keyof TranslationBundle) => (name in FILLED ? marked((bundle[name] as Translate).bind(bundle), FILLED[name]) : bundle[name])
});

type Translate = (...given: unknown[]) => string;

function marked(translate: Translate, filled: number): Translate {
  return (...given) => `⟦${translate(...given.map((each, i) => (i >= filled && typeof each === 'string' ? `⟧${each}⟦` : each)))}⟧`;
}

/** What an answer of the server holds is told as it is; so are units and code. */
const DATA = new Set(
  everyText()
    .flatMap(words)
    .concat(words('UTC min B kB MB GB s h auc load_ext nbreg register_model NAME draft churn clf metrics accuracy latest outputs'))
);

function words(text: string): string[] {
  return text.match(/\p{L}{2,}/gu) ?? [];
}

/** All that a person reads or hears. */
function told(node: HTMLElement): string[] {
  const named = [...node.querySelectorAll('*')].flatMap(each => ['title', 'aria-label', 'alt', 'aria-valuetext'].map(name => each.getAttribute(name) ?? ''));
  const walker = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
  const texts: string[] = [];
  while (walker.nextNode()) {
    const { parentElement, textContent } = walker.currentNode;
    texts.push(parentElement?.closest('pre, code') ? '' : (textContent ?? ''));
  }
  return [...named, texts.join('\n')]; // since a sentence with code in it is several
}

it.each<[string, JSX.Element]>([
  ['a version', <Version reference="churn@2" onCompare={none} />],
  ['a model', <Model model="churn" />],
  ['the models', <Models text="" isOpen={new Set(['churn'])} onToggle={none} onShow={none} />],
  ['a difference', <Diff a="churn@2" b="churn@1" />],
  ['the runs', <Runs text="" />],
  ['a run', <Run run="r" />],
  ['data', <Datasets />],
  ['drafts', <Drafts />],
  ['events', <AllEvents />],
  ['the registry', <Upkeep />],
  ['the head', <Head onEvents={none} onRefresh={none} />],
  ['the way back', <WayBack list="runs" onBack={none} onHome={none} />],
  ['the lists', <NamesOfLists list="runs" onChoose={none} />],
  ['a search', <Search of="runs" text="" onText={none} />]
])('is in the language of the page, each word of %s that is no data', async (_, element) => {
  const { node } = await drawn(element, {}, undefined, marking);
  await openAll(node);

  expect(told(node).join(' ')).toContain('⟦');
  const unmarked = told(node).flatMap(text => words(text.replace(/⟦[^⟧]*⟧/g, ' ')));
  expect([...new Set(unmarked.filter(each => !DATA.has(each)))]).toEqual([]);
});
