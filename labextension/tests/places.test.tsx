import React, { act } from 'react';
import { describe, expect, it } from 'vitest';

import type { ICurvePoint, ILink, INode, IVersionItem } from '../src/contract';
import { AtWork, Links } from '../src/panel/belonging';
import { Curve } from '../src/panel/curve';
import { Dataset, Datasets } from '../src/panel/datasets';
import { Drafts } from '../src/panel/drafts';
import { Lineage } from '../src/panel/lineage';
import { Model } from '../src/panel/model';
import { Run, Runs } from '../src/panel/runs';
import { Upkeep } from '../src/panel/upkeep';
import { Version } from '../src/panel/version';
import { buttons, drawn, fieldOf, open, press, settled, type } from './drawing';
import { wire, type IRequest } from './wire';

const none = (): void => undefined;
const EVIL = '<img src=x onerror="window.hacked=1">';

const item = wire('version').answer.item as IVersionItem;
const posted = (requests: ReadonlyArray<IRequest>): IRequest[] => requests.filter(each => each.method === 'POST');
const asked = (requests: ReadonlyArray<IRequest>, path: string): IRequest[] => requests.filter(each => each.path === path);
const offers = (node: HTMLElement, name: RegExp): string[] => buttons(node).filter(each => name.test(each));
const submit = (node: HTMLElement): HTMLButtonElement => node.querySelector('form button[type=submit]') as HTMLButtonElement;

describe('what is refused at first', () => {
  it('is done all the same with a reason, after it was said which gates that passes over', async () => {
    const { node, requests, answers } = await drawn(<Version reference="churn@2" onCompare={none} />, { retire: 'refused-gate-refused' });
    await press(node, /^Retire: 1.1.0: production → archived$/);
    expect(buttons(node)).not.toContain('All the same…');
    await press(node, /^Retire$/);
    await press(node, /^All the same…$/);

    const note = node.querySelector('form [role=note]');
    expect([...(note?.querySelectorAll('code') ?? [])].map(each => each.textContent)).toEqual(['metrics.auc > 0.99', 'approved(2)']);
    expect(submit(node).textContent).toBe('Retire all the same');
    expect(submit(node).disabled).toBe(true);

    answers['retire'] = 'retire';
    await type(node, /^Reason/, 'Incident');
    await press(node, /^Retire all the same$/);

    expect(posted(requests).map(each => [each.asked['force'], each.asked['reason']])).toEqual([
      [false, ''],
      [true, 'Incident']
    ]);
    expect(posted(requests)[1].asked['expect']).toMatchObject({ kind: 'retired', to: 'archived' });
  });

  it('is asked for anew where somebody moved it meanwhile', async () => {
    const { node, answers } = await drawn(<Version reference="churn@2" onCompare={none} />, { retire: 'refused-gate-refused' });
    await press(node, /^Retire: 1.1.0: production → archived$/);
    await press(node, /^Retire$/);
    await press(node, /^All the same…$/);
    await type(node, /^Reason/, 'Incident');
    answers['retire'] = 'refused-conflict';
    await press(node, /^Retire all the same$/);

    expect(node.querySelector('form [role=note]')).toBeNull();
    expect(submit(node).textContent).toBe('Retire');
  });

  it('hides a version that others count on, with a reason', async () => {
    const { node, requests, answers } = await drawn(<Version reference="churn@2" onCompare={none} />, { delete: 'refused-version-in-use' });
    await press(node, /^More$/);
    await press(node, /^Delete$/);
    await type(node, /^Reason/, 'Leaked');
    await act(async () => submit(node).click());
    await settled();

    const alert = node.querySelector('form [role=alert]');
    expect(alert?.textContent).toContain('was in production');
    expect(alert?.textContent).not.toContain('somebody was here first'); // nobody was
    expect(alert?.textContent).not.toContain('include_protected'); // which is for who types
    answers['delete'] = 'delete';
    await press(node, /^All the same…$/);
    await press(node, /^Delete all the same$/);

    expect(posted(requests).map(each => each.asked['include_protected'])).toEqual([false, true]);
  });
});

describe('an alias that is protected', () => {
  it('is marked, and moves by force and with a reason alone', async () => {
    const { node, requests } = await drawn(<Version reference="churn@2" onCompare={none} />);
    await press(node, /^Add alias$/);
    await type(node, /^Alias$/, 'champion');
    expect(submit(node).textContent).toBe('Set');

    await type(node, /^Alias$/, 'fallback');
    expect(node.querySelector('form [role=note]')?.textContent).toContain('by ada · the nightly job loads it');
    expect(submit(node).textContent).toBe('Set all the same');
    expect(submit(node).disabled).toBe(true);

    await type(node, /^Reason/, 'Fix');
    await press(node, /^Set all the same$/);
    expect(posted(requests)[0]).toMatchObject({ path: 'set-alias', asked: { alias: 'fallback', force: true, reason: 'Fix', ref: 'churn@2' } });
  });

  it('goes no other way, also where it was protected only now', async () => {
    const protections = wire('model').answer;
    const saved = protections.protected;
    protections.protected = {};
    const { node, requests } = await drawn(<Model model="churn" />, { 'drop-alias': 'refused-protected-alias' });
    protections.protected = saved;
    await press(node, /^Take the alias fallback away$/);
    await press(node, /^Take away$/);
    expect(node.querySelector('form [role=alert]')?.textContent).toContain('is protected by ada');
    await press(node, /^All the same…$/);
    await type(node, /^Reason/, 'Gone');
    await press(node, /^Take away all the same$/);

    expect(posted(requests).map(each => each.asked['force'])).toEqual([false, true]);
  });

  it('is let free with a reason, and others are protected', async () => {
    const { node, requests } = await drawn(<Model model="churn" />);
    expect(node.querySelector('[aria-label="Aliases of churn"]')?.textContent).toContain('protected by ada');
    await press(node, /^Protect fallback no longer…$/);
    expect(fieldOf(node, /^Reason/)).toHaveProperty('required', true);
    await type(node, /^Reason/, 'Done');
    await press(node, /^Unprotect$/);
    await press(node, /^Protect one that is not there yet…$/);
    await type(node, /^Alias$/, 'serving');
    await press(node, /^Protect$/);

    expect(posted(requests).map(each => [each.path, each.asked['alias']])).toEqual([
      ['unprotect', 'fallback'],
      ['protect', 'serving']
    ]);
  });
});

describe('what belongs to a version', () => {
  const link = (target: string, title = ''): ILink => ({ id: 1, target, title, kind: 'ticket', at: '2026-02-09T10:00:00.000000Z', by: 'ada' });

  it.each([
    'javascript:alert(1)',
    'JaVaScRiPt://x/%0aalert(1)',
    'data:text/html,<script>1</script>',
    'file:///etc/passwd',
    '/mnt/report.pdf',
    'ticket 4711',
    EVIL
  ])('is text where no browser should open it: %s', async target => {
    const { node } = await drawn(<Links item={item} links={[link(target, EVIL), { ...link(target), id: 2 }]} onChanged={none} />);

    expect(node.querySelectorAll('a, img')).toHaveLength(0);
    expect(node.textContent).toContain(target);
  });

  it('is an anchor that tells nobody where it was pressed, with the place it leads to beside its title', async () => {
    const { node } = await drawn(<Links item={item} links={[link('https://tickets.example/7', 'Churn')]} onChanged={none} />);

    const anchor = node.querySelector('a');
    expect([anchor?.href, anchor?.target, anchor?.rel]).toEqual(['https://tickets.example/7', '_blank', 'noopener noreferrer']);
    expect(node.textContent).toContain('tickets.example');
  });

  it('is added and taken away', async () => {
    const { node, requests } = await drawn(<Version reference="churn@2" onCompare={none} />);
    await press(node, /^Take the link First results away$/);
    await press(node, /^Take away$/);
    await press(node, /^Add a link…$/);
    await type(node, /^Address/, ' https://tickets.example/7 ');
    await type(node, /^Title/, 'Churn');
    await press(node, /^Add$/);

    expect(posted(requests)[0]).toMatchObject({ path: 'unlink', asked: { ref: 'churn@2', target: 1 } });
    expect(posted(requests)[1]).toMatchObject({ path: 'link', asked: { ref: 'churn@2', target: 'https://tickets.example/7', title: 'Churn', kind: 'ticket' } });
  });

  it('says where it is at work, records that it is somewhere else, and that it is no longer', async () => {
    const { node, requests } = await drawn(<AtWork deployments={wire('deployments').answer} withVersion onChanged={none} />);
    expect(node.querySelector('li')?.textContent).toContain('prod-eu');
    await press(node, /^End: churn@1 at prod-eu…$/);
    await press(node, /^End$/);
    expect(posted(requests)[0]).toMatchObject({ path: 'undeploy', asked: { ref: 'churn@1', where: 'prod-eu' } });
  });

  it('is recorded as pending beside what is there', async () => {
    const { node, requests } = await drawn(<Version reference="churn@2" onCompare={none} />);
    await open(node, 'At work');
    await press(node, /^Record where it is at work…$/);
    await type(node, /^Where/, 'prod-us');
    await type(node, /^Status/, 'pending');
    await act(async () => fieldOf(node, /^beside/).click());
    await press(node, /^Record$/);

    expect(posted(requests)[0]).toMatchObject({ path: 'deploy', asked: { ref: 'churn@2', where: 'prod-us', status: 'pending', alongside: true } });
  });

  it('shows of a long text as much as leaves room for what can be done, and all of it when asked', async () => {
    const { version } = wire('version').answer.item;
    const said = version.description;
    version.description = 'on and on '.repeat(40);
    const { node } = await drawn(<Version reference="churn@2" onCompare={none} />);
    version.description = said;
    const text = node.querySelector('.jp-nbreg-Said');

    expect(text?.classList).toContain('jp-nbreg-mod-cut');
    await press(node, /^Show all$/);
    expect(text?.classList).not.toContain('jp-nbreg-mod-cut');
    expect(offers(node, /^Show less$/)).toHaveLength(1);
  });

  it('is known from where it came to what it led to, each a way on', async () => {
    const { node, gone } = await drawn(<Lineage id="churn@2" model="churn" />);
    const rows = [...node.querySelectorAll('dt')].map(each => `${each.textContent}: ${each.nextElementSibling?.textContent}`);
    expect(rows[0]).toBe('trained on: customers@1 train · 4×2');
    expect(rows).toContain('made by: fit script · churn · 2026-02-09 10:00');
    expect(node.querySelector('a')?.href).toBe('https://reports.example/churn');

    await press(node, /^customers@1$/);
    await press(node, /^fit$/);
    await press(node, /^production$/);
    expect(gone).toEqual([
      { kind: 'data', data: 'customers@1' },
      { kind: 'run', run: wire('run').answer.id },
      { kind: 'version', ref: 'churn@production' }
    ]);
  });

  it('leads to two hundred places without a word said two hundred times, and to all of them', async () => {
    const { answer } = wire('lineage');
    const [nodes, edges] = [answer.nodes, answer.edges];
    const mine = nodes.find((each: INode) => each.kind === 'version').id;
    const sites = Array.from({ length: 200 }, (_, i): INode => ({ id: `site-${i}`, kind: 'deployment', label: `site ${i}`, ref: '', note: '' }));
    answer.nodes = [...nodes, ...sites];
    answer.edges = [...edges, ...sites.map(each => ({ source: mine, target: each.id, kind: 'deployed-at' }))];
    const { node } = await drawn(<Lineage id="churn@2" model="churn" />);
    [answer.nodes, answer.edges] = [nodes, edges];

    expect([...node.querySelectorAll('dt')].filter(each => each.textContent === 'deployed at')).toHaveLength(1);
    expect(node.textContent).not.toContain('site 199');
    await press(node, /^Show \d+ more$/);
    expect(node.textContent).toContain('site 199');
    expect(offers(node, /^Show \d+ more$/)).toEqual([]);
    await press(node, /^Show less$/);
    expect(node.textContent).not.toContain('site 199');
  });

  it('is edited as far as it was touched', async () => {
    const { node, requests } = await drawn(<Version reference="churn@2" onCompare={none} />);
    await press(node, /^Edit$/);
    expect(submit(node).disabled).toBe(true);
    await type(node, /^Content/, '{"team": ');
    expect(node.querySelector('form [role=alert]')?.textContent).toBe('The content is no JSON object.');
    expect(submit(node).disabled).toBe(true);
    await type(node, /^Content/, '{"team": "A"}');
    await type(node, /^Metrics/, 'auc_live = 0.9');
    await press(node, /^Save$/);

    expect(posted(requests)[0].asked).toEqual({
      registry: '~project',
      ref: 'churn@2',
      reason: '',
      message: '',
      content: { team: 'A' },
      metrics: { auc_live: 0.9 }
    });
  });

  it('is copied, and moved to another model, which is where one looks then', async () => {
    const { node, requests, gone, answers } = await drawn(<Version reference="churn@2" onCompare={none} />, { copy: 'refused-name-taken' });
    await press(node, /^More$/);
    await press(node, /^Copy$/);
    await type(node, /^Name/, '1.0.0');
    await act(async () => submit(node).click());
    await settled();
    answers['copy'] = 'copy';
    await press(node, /^All the same…$/);
    await type(node, /^Reason/, 'Renamed');
    await press(node, /^Take the name over$/);
    expect(posted(requests).map(each => [each.asked['to'], each.asked['version'], each.asked['force']])).toEqual([
      ['churn', '1.0.0', false],
      ['churn', '1.0.0', true]
    ]);

    await press(node, /^Move to another model$/);
    await type(node, /^Model$/, 'retired');
    await press(node, /^Move$/);
    expect(posted(requests)[2]).toMatchObject({ path: 'transfer', asked: { ref: 'churn@2', to: 'retired', version: null } });
    expect(gone).toEqual([{ kind: 'version', ref: `retired@${wire('transfer').answer.version.number}` }]);
  });

  it('is downloaded as one file, and as files that need no nbreg', async () => {
    const { node } = await drawn(<Version reference="churn@2" onCompare={none} />);
    await press(node, /^More$/);

    const links = [...node.querySelectorAll<HTMLAnchorElement>('a[download]')].map(each => each.href);
    expect(links).toEqual(['archive', 'files'].map(path => `http://localhost/lab/user/ada/nbreg/${path}?registry=~project&ref=churn%402`));
  });
});

describe("a model's page", () => {
  it('says whose it is and what for, and changes that', async () => {
    const { node, requests } = await drawn(<Model model="churn" />);
    expect(node.textContent).toContain('who leaves next month');
    expect(node.textContent).toContain('bob');
    await press(node, /^Edit$/);
    await type(node, /^Owners/, 'bob, ada');
    await press(node, /^Save$/);

    expect(posted(requests)[0]).toEqual({
      method: 'POST',
      path: 'update-model',
      asked: { registry: '~project', model: 'churn', owners: ['bob', 'ada'], force: false, reason: '', message: '' }
    });
  });

  it('requires gates and drops them', async () => {
    const { node, requests } = await drawn(<Model model="churn" />);
    await open(node, 'Gates');
    expect([...node.querySelectorAll('[aria-label=Gates] code')].map(each => each.textContent)).toEqual(['metrics.auc > 0.99', 'approved(2)']);
    await press(node, /^Require a gate…$/);
    await type(node, /^Gates/, 'proven\n\n metrics.auc > 0.5 ');
    await press(node, /^Require$/);
    await press(node, /^Drop the gate approved\(2\) of production…$/);
    await type(node, /^Reason/, 'Slow');
    await press(node, /^Drop$/);

    expect(posted(requests).map(each => each.asked)).toMatchObject([
      { model: 'churn', stage: 'production', gates: ['proven', 'metrics.auc > 0.5'] },
      { model: 'churn', stage: 'production', gate: 'approved(2)', reason: 'Slow' }
    ]);
  });

  it('shares traffic out, in shares that are whole', async () => {
    const { node, requests } = await drawn(<Model model="churn" />);
    await open(node, 'Traffic');
    expect(node.textContent).toContain('75 %');
    await press(node, /^Share it out…$/);
    expect(fieldOf(node, /^Percents/).value).toBe('production = 75\nfallback = 25');
    await type(node, /^Percents/, 'production = 75\nfallback = 20');
    expect(submit(node).disabled).toBe(true);
    await type(node, /^Percents/, 'production = 80\nfallback = 20');
    await press(node, /^Share out$/);
    await press(node, /^End it…$/);
    await press(node, /^End it$/);

    expect(posted(requests).map(each => each.asked['weights'])).toEqual([{ production: 80, fallback: 20 }, null]);
  });

  it('leads to the page for whoever has to check it', async () => {
    const { node } = await drawn(<Model model="risk/churn" />);
    await open(node, 'Audit');
    await act(async () => fieldOf(node, /^ ?read every byte/).click());

    expect(node.querySelector<HTMLAnchorElement>('a[download]')?.href).toBe(
      'http://localhost/lab/user/ada/nbreg/audit?registry=~project&model=risk%2Fchurn&verify=true'
    );
  });

  it('lets what waits for an answer be answered', async () => {
    const { node, requests, gone } = await drawn(<Model model="churn" />);
    await press(node, /^churn 1.5.0$/);
    await press(node, /^Reject$/);
    await act(async () => submit(node).click());
    await settled();

    expect(gone).toEqual([{ kind: 'version', ref: 'churn@6' }]);
    expect(posted(requests)[0]).toMatchObject({ path: 'reject', asked: { request: 'churn:r2' } });
  });
});

describe('runs', () => {
  it('are found by a part of their name, by a query, and by their metrics', async () => {
    const plain = await drawn(<Runs text={'fit\\x'} />);
    expect(asked(plain.requests, 'runs')[0].asked['query']).toBe('"fit\\\\x" in name or "fit\\\\x" in experiment or "fit\\\\x" in id or "fit\\\\x" in place');
    plain.service.dispose();

    const { node, requests, gone } = await drawn(<Runs text="metrics.loss < 0.3" />);
    await type(node, /^Sorted by/, 'metrics.loss');
    expect(asked(requests, 'runs').pop()?.asked).toMatchObject({ query: 'metrics.loss < 0.3', sort: 'metrics.loss' });
    await act(async () => node.querySelector<HTMLButtonElement>('li button')?.click());
    expect(gone).toEqual([{ kind: 'run', run: wire('runs').answer.runs[0].id }]);
  });

  it('say what went in, what came out, and lead to their versions', async () => {
    const { node, gone } = await drawn(<Run run="0007" />);
    const facts = [...node.querySelectorAll('dt')].map(each => `${each.textContent}: ${each.nextElementSibling?.textContent}`);
    expect(facts).toEqual(expect.arrayContaining(['experiment: churn', 'took: 1 min 0 s', 'learning_rate: 0.1']));
    expect(node.querySelector('svg')?.getAttribute('aria-label')).toBe('loss over 4 steps, from 1 to 0.25');
    await press(node, /^churn 1.1.0$/);
    expect(gone).toEqual([{ kind: 'version', ref: 'churn@2' }]);
  });

  it('are hidden with a reason alone: their verb takes no message', async () => {
    const { node, requests } = await drawn(<Run run="0007" />);
    await press(node, /^Delete$/);
    expect([...node.querySelectorAll('form label')].map(each => each.textContent)).toEqual(['Reason, in a word']);
    await type(node, /^Reason/, 'Mistake');
    await act(async () => submit(node).click());
    await settled();

    expect(posted(requests)[0]).toEqual({ method: 'POST', path: 'delete-run', asked: { registry: '~project', run: '0007', reason: 'Mistake' } });
  });

  it('are read at any step by the keyboard', async () => {
    const { node } = await drawn(<Curve name="loss" points={wire('run-curve').answer} />);
    const slider = node.querySelector<HTMLInputElement>('input[type=range]') as HTMLInputElement;
    await act(async () => {
      Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')?.set?.call(slider, '1');
      slider.dispatchEvent(new Event('input', { bubbles: true }));
    });

    expect(node.querySelector('output')?.textContent).toBe('step 1: 0.5');
    expect(slider.getAttribute('aria-valuetext')).toBe('step 1: 0.5');
  });

  it('say how many values are no numbers', async () => {
    const point = (step: number, value: number | string): ICurvePoint => ({ step, value, low: value, high: value });
    const { node } = await drawn(<Curve name="loss" points={[point(0, 1), point(1, 'nan'), point(2, 'inf')]} />);
    expect(node.textContent).toContain('2 values are no finite numbers');

    const all = await drawn(<Curve name="loss" points={[point(0, 'nan')]} />);
    expect(all.node.querySelector('svg')).toBeNull();
  });
});

it('lists data by name, and who used it', async () => {
  const list = await drawn(<Datasets />);
  await act(async () => list.node.querySelector<HTMLButtonElement>('li button')?.click());
  expect(list.gone).toEqual([{ kind: 'data', data: 'customers@1' }]);

  const { node, requests, gone } = await drawn(<Dataset data="customers@1" />);
  expect(node.textContent).toContain('warehouse.customers');
  expect(asked(requests, 'trained-on')[0].asked['data']).toBe('customers@1');
  await act(async () => node.querySelector<HTMLButtonElement>('li button')?.click());
  expect(gone).toEqual([{ kind: 'version', ref: 'churn@7' }]);
});

it('finds who used data that nobody named', async () => {
  const { requests } = await drawn(<Dataset data="sha256:0026" />);

  expect(asked(requests, 'dataset')).toEqual([]);
  expect(asked(requests, 'trained-on')[0].asked['data']).toBe('sha256:0026');
});

it('says how a draft is registered', async () => {
  const { node } = await drawn(<Drafts />);

  expect(node.querySelector('li')?.textContent).toContain('clf SVC');
  expect(node.querySelector('pre')?.textContent).toBe('%register_model NAME --draft 1');
});

it('reads the whole registry only when somebody wants that', async () => {
  const { node, requests } = await drawn(<Upkeep />);
  await open(node, 'Is all well?');
  expect(asked(requests, 'verify')).toEqual([]);
  await press(node, /^Check it now$/);

  expect(asked(requests, 'verify')).toHaveLength(1);
  expect(node.textContent).toContain('All is as it was written.');
  await open(node, 'Room on disk');
  expect(node.querySelector('table')?.textContent).toContain('churn');
});

it('offers nothing that changes where the server may not write', async () => {
  const changing = /…$|^(Edit|Delete|Add alias|Copy|Move to another model|Approve|Reject|Withdraw)$|away|^(Promote|Retire|Roll back)/;
  for (const element of [<Version reference="churn@2" onCompare={none} />, <Model model="churn" />, <Run run="0007" />, <Upkeep />]) {
    const { node } = await drawn(element, {}, 'old');
    await press(node, /^More$/).catch(() => undefined);
    for (const title of ['Links', 'At work', 'Gates', 'Traffic', 'Aliases']) {
      await open(node, title).catch(() => undefined);
    }

    expect(buttons(node).filter(each => changing.test(each))).toEqual([]);
  }
});
