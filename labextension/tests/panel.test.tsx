import React, { act } from 'react';
import { expect, it } from 'vitest';

import type { IPromotionRequest, IVersionItem } from '../src/contract';
import { Models } from '../src/panel/models';
import { RequestList } from '../src/panel/requests';
import { Version } from '../src/panel/version';
import { shown } from '../src/words';
import { drawn, press, settled } from './drawing';
import { wire } from './wire';

const none = (): void => undefined;

it('lists models with who holds which stage, and their versions newest first', async () => {
  const { node } = await drawn(<Models text="" isOpen={new Set(['churn'])} onToggle={none} onShow={none} />);

  expect(node.querySelector('.jp-nbreg-Model')?.textContent).toContain('production');
  const saved = wire('versions').answer.versions as IVersionItem[];
  const names = [...node.querySelectorAll('.jp-nbreg-Version .jp-nbreg-Name')].map(each => each.textContent);
  expect(names).toEqual(saved.map(each => each.version.name));
  expect(node.querySelector('svg[role=img]')?.getAttribute('aria-label')).toBe(`auc over ${names.length} versions, now ${shown(saved[0].version.metrics['auc'])}`);
});

it('hands a query to the registry, and shows where one cannot be read', async () => {
  const { node, requests } = await drawn(<Models text="metrics.auc >" isOpen={new Set()} onToggle={none} onShow={none} />, { search: 'refused-bad-query' });

  expect(requests[requests.length - 1]).toMatchObject({ path: 'search', asked: { query: 'metrics.auc >' } });
  expect(node.querySelector('[role=alert]')?.textContent).toContain(wire('refused-bad-query').answer.message);
});

it('promotes as it was foretold, with a reason', async () => {
  const { node, requests } = await drawn(<Version reference="churn@2" onCompare={none} />);
  await press(node, /^Roll back: /);

  expect(node.querySelector('.jp-nbreg-Told')?.textContent).toBe('1.0.0: archived → production1.1.0: production → archived');
  await press(node, /^Roll back$/);

  const sent = requests.find(each => each.method === 'POST');
  expect(sent).toMatchObject({ path: 'rollback', asked: { model: 'churn', stage: 'production', expect: { kind: 'rolled-back', number: 1, displaced: 2 } } });
});

it('explains that somebody was faster, keeps what was typed, and looks again', async () => {
  const { node, requests } = await drawn(<Version reference="churn@2" onCompare={none} />, { retire: 'refused-conflict' });
  await press(node, /^Retire: 1.1.0: production → archived$/);
  const reason = node.querySelector<HTMLInputElement>('form input');
  await act(async () => {
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')?.set?.call(reason, 'Old');
    reason?.dispatchEvent(new Event('input', { bubbles: true }));
  });
  const before = requests.filter(each => each.path === 'version').length;
  await press(node, /^Retire$/);

  expect(requests.find(each => each.method === 'POST')?.asked['reason']).toBe('Old');
  expect(node.querySelector('form [role=alert]')?.textContent).toContain(wire('refused-conflict').answer.message);
  expect(node.querySelector('form [role=alert]')?.textContent).toContain('Nothing was changed: somebody was here first.');
  expect(node.querySelector<HTMLInputElement>('form input')?.value).toBe('Old');
  expect(requests.filter(each => each.path === 'version').length).toBeGreaterThan(before);
});

it('shows what each gate of a stage saw', async () => {
  const { node } = await drawn(<Version reference="churn@2" onCompare={none} />, { retire: 'refused-gate-refused' });
  await press(node, /^Retire: 1.1.0: production → archived$/);
  await press(node, /^Retire$/);

  const gates = [...node.querySelectorAll('.jp-nbreg-Gates li')].map(each => each.textContent);
  expect(gates).toEqual(['✗ metrics.auc > 0.99 metrics.auc is 0.94', '✗ approved(2) nobody has so far']);
});

/** Tells of one request of bob's, and that agreeing to it would do what the recorded approval expects. */
function asking(version: number): { request: IPromotionRequest; move: object; forget: () => void } {
  const request = wire('requests').answer[0];
  const saved = { version: request.version, by: request.by };
  const move = wire('approve').asked['expect'] as object;
  wire('version').answer.moves.push(move);
  Object.assign(request, { version, by: 'bob' });
  const forget = (): void => {
    Object.assign(request, saved);
    wire('version').answer.moves.pop();
  };
  return { request, move, forget };
}

it('shows who asks for a stage, and lets others say yes or no', async () => {
  const { request, move, forget } = asking(2);
  const { node, requests } = await drawn(<Version reference="churn@2" onCompare={none} />);
  expect(node.querySelector('.jp-nbreg-Request')?.textContent).toContain(`bob asks for ${request.to}`);

  await press(node, /^Approve$/);
  forget();
  expect(node.querySelector('form')?.textContent).toContain('1.4.0: none → candidate');
  await act(async () => node.querySelector<HTMLButtonElement>('form button[type=submit]')?.click());
  await settled();

  expect(requests.find(each => each.method === 'POST')).toMatchObject({ path: 'approve', asked: { request: request.id, expect: move } });
});

it('approves from the list of all models what was shown there, and nothing else', async () => {
  const { request, move, forget } = asking(5);
  const { node, requests } = await drawn(<RequestList />);

  await press(node, /^Approve$/);
  forget();
  expect(requests.find(each => each.path === 'version')?.asked['ref']).toBe('churn@5');
  expect(node.querySelector('form')?.textContent).toContain('1.4.0: none → candidate');
  await act(async () => node.querySelector<HTMLButtonElement>('form button[type=submit]')?.click());
  await settled();

  expect(requests.find(each => each.method === 'POST')).toMatchObject({ path: 'approve', asked: { request: request.id, expect: move } });
});

it('approves nothing of which it cannot say what it would do', async () => {
  const { forget } = asking(5);
  wire('version').answer.moves.pop();
  const { node } = await drawn(<RequestList />);
  await press(node, /^Approve$/);
  wire('version').answer.moves.push({});
  forget();

  expect(node.querySelector('form')?.textContent).toContain('It was moved meanwhile');
  expect(node.querySelector<HTMLButtonElement>('form button[type=submit]')?.disabled).toBe(true);
});

it('stays at the version that a reference meant when it was opened, wherever that moves', async () => {
  // Else a form that was opened to delete one version would delete the next one in production.
  const { service, requests } = await drawn(<Version reference="churn@production" onCompare={none} />);

  await act(async () => service.refresh());
  await settled();

  const refs = requests.filter(each => each.path === 'version').map(each => each.asked['ref']);
  expect(refs[0]).toBe('churn@production');
  expect(refs.length).toBeGreaterThan(2);
  expect(new Set(refs.slice(1))).toEqual(new Set(['churn@2']));
});

it('copies the reference that never moves, where the browser has no clipboard of its own as well', async () => {
  const { node, copied } = await drawn(<Version reference="churn@2" onCompare={none} />);

  await press(node, /^Copy the reference that never moves$/);

  expect(copied).toEqual([wire('version').answer.pinned]);
  expect(node.querySelector('.jp-nbreg-Id [role=status]')?.textContent).toBe('Copied.');
});

it('keeps the list, and the focus in it, while the server cannot be read from', async () => {
  const { node, service, answers } = await drawn(<Models text="" isOpen={new Set(['churn'])} onToggle={none} onShow={none} />);
  const line = node.querySelector<HTMLElement>('.jp-nbreg-Version');
  await act(async () => line?.focus());

  answers['models'] = answers['versions'] = 'refused-unknown-model';
  await act(async () => service.refresh());
  await settled();

  expect(node.querySelector('[role=alert]')).not.toBeNull();
  expect(document.activeElement).toBe(line);
  delete answers['models'];
  delete answers['versions'];
  await press(node, /^Try again$/);
  await press(node, /^Try again$/);
  expect(node.querySelector('[role=alert]')).toBeNull();
});
