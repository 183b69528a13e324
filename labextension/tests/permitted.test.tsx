import React from 'react';
import { describe, expect, it } from 'vitest';

import { NamesOfLists } from '../src/panel/head';
import { Model } from '../src/panel/model';
import { Upkeep } from '../src/panel/upkeep';
import { Version } from '../src/panel/version';
import { buttons, drawn, open, press, type } from './drawing';
import type { IRequest } from './wire';

const none = (): void => undefined;
const posted = (requests: ReadonlyArray<IRequest>): IRequest[] => requests.filter(each => each.method === 'POST');
const offers = (node: HTMLElement, name: RegExp): string[] => buttons(node).filter(each => name.test(each));

describe('who may only look', () => {
  it('is offered nothing that the server would refuse, and told who could', async () => {
    const { node } = await drawn(<Version reference="churn@5" onCompare={none} />, { model: 'model-look', version: 'version-look' });
    await open(node, 'Links');
    await press(node, /^More$/);

    expect(node.textContent).toContain('You may look at it, and ask for a promotion. Its owners: ada.');
    expect(offers(node, /^(Edit|Add alias|Copy$|Delete|Move to another model|Add a link…|Retire|Roll back|Take |Approve|Reject)/)).toEqual([]);
    expect(node.querySelector('a[download]')).not.toBeNull();
  });

  it('asks for a promotion at once', async () => {
    const { node, requests } = await drawn(<Version reference="churn@5" onCompare={none} />, { model: 'model-look', version: 'version-look' });
    await press(node, /^Ask for: /);
    await type(node, /^Message/, 'two weeks');
    await press(node, /^Ask for$/);

    expect(posted(requests).map(each => [each.path, each.asked['message']])).toEqual([['request', 'two weeks']]);
  });
});

describe('who may change versions', () => {
  it('moves and tags them, and does not say who may or what is required', async () => {
    const { node } = await drawn(<Model model="churn" />, { model: 'model-change' });
    await open(node, 'Gates');
    await open(node, 'Traffic');

    expect(node.textContent).toContain('Who may do what with it, and what is required, its owners say: ada.');
    expect(node.textContent).toContain('editorsgrace');
    expect(node.textContent).toContain('readersbob');
    expect(offers(node, /^(Edit|Protect|Require|Drop)/)).toEqual([]);
    expect(offers(node, /^Share it out…$/)).toHaveLength(1);
  });
});

describe('an owner', () => {
  it('says who may change it and who may look', async () => {
    const { node, requests } = await drawn(<Model model="churn" />);
    await press(node, /^Edit$/);
    await type(node, /^Editors/, 'grace, risk');
    await type(node, /^Readers/, 'audit');
    await press(node, /^Save$/);

    expect(posted(requests).map(each => each.asked)).toMatchObject([{ model: 'churn', editors: ['grace', 'risk'], readers: ['audit'], force: false }]);
    expect(Object.keys(posted(requests)[0].asked)).not.toContain('owners');
  });

  it('gives a model away with a reason or not at all', async () => {
    const { node, requests, answers } = await drawn(<Model model="churn" />, { 'update-model': 'refused-handover' });
    await press(node, /^Edit$/);
    await type(node, /^Owners/, 'grace');
    await press(node, /^Save$/);
    await press(node, /^All the same…$/);

    expect(node.querySelector('form [role=note]')?.textContent).toContain('You will be no owner of it any more');
    answers['update-model'] = 'update-model';
    await type(node, /^Reason/, 'Handover');
    await press(node, /^Give it away$/);

    expect(posted(requests).map(each => [each.asked['force'], each.asked['reason']])).toEqual([
      [false, ''],
      [true, 'Handover']
    ]);
  });
});

describe('a page of which it is not known yet what may be done', () => {
  it('offers nothing, so that no button becomes another one under the hand', async () => {
    const { node, requests } = await drawn(<Version reference="churn@5" onCompare={none} />, { model: 'refused-read-only', version: 'version-look' });

    expect(requests.map(each => each.path)).toContain('model');
    expect(node.querySelector('h2')?.textContent).toContain('churn');
    expect(offers(node, /^(Ask for|Promote|Retire|Roll back|Edit|Add alias)/)).toEqual([]);
  });
});

describe('what is about all models at once', () => {
  it('lets an owner answer what is asked of a model of theirs', async () => {
    const { node, requests } = await drawn(<Upkeep />, { hello: 'hello-held' });

    expect(new Set(requests.filter(each => each.path === 'model').map(each => each.asked['model']))).toEqual(new Set(['churn']));
    expect(offers(node, /^Approve$/)).not.toEqual([]);
  });

  it('lets an editor say that what is at work somewhere is so no longer', async () => {
    const { node, requests } = await drawn(<Upkeep />, { hello: 'hello-held', model: 'model-change' });
    await press(node, /^End: churn@1 at prod-eu…$/);
    await press(node, /^End$/);

    expect(posted(requests)).toMatchObject([{ path: 'undeploy', asked: { ref: 'churn@1', where: 'prod-eu' } }]);
  });

  it('has no list of drafts for those whom the server would refuse it', async () => {
    const { node } = await drawn(<NamesOfLists list="models" onChoose={none} />, { hello: 'hello-held' });

    expect(buttons(node)).toEqual(['Models', 'Runs', 'Data', 'Registry']);
  });

  it('is offered to administrators alone', async () => {
    const { node } = await drawn(<Upkeep />, { hello: 'hello-held', model: 'model-look' });
    await open(node, 'Gates of all models');

    expect(node.textContent).toContain('is for administrators');
    expect([...node.querySelectorAll('summary')].map(each => each.textContent)).not.toContain('Is all well?');
    expect(offers(node, /^(Approve|Reject|Require|Drop|End)/)).toEqual([]);
  });
});
