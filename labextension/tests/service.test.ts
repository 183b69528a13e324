import { afterEach, describe, expect, it, vi } from 'vitest';

import { METHODS, type IChanges } from '../src/contract';
import { Refusal, type RegistryService } from '../src/service';
import { recorded, wire } from './wire';

let service: RegistryService | undefined;

afterEach(() => service?.dispose());

function given(instead: { [path: string]: string } = {}): ReturnType<typeof recorded> {
  const made = recorded(instead);
  service = made.service;
  return made;
}

describe('RegistryService', () => {
  it('says hello to a server of the same contract', async () => {
    const { service } = given();

    expect((await service.connect()).actor.user).toBe('ada');
  });

  it('names the line that brings page and server together, where they differ', async () => {
    const { service } = given();
    const hello = wire('hello').answer;
    const before = hello.contract;
    hello.contract = 'another';

    const refusal = await service.connect().catch(error => error);
    hello.contract = before;

    expect(refusal).toBeInstanceOf(Refusal);
    expect(refusal.code).toBe('other-version');
    expect(refusal.hint).toBe('pip install --upgrade nbreg, start the server anew, then reload this page');
  });

  it('asks each question of the registry that belongs to the notebook', async () => {
    const { service, requests } = given();
    await service.near('project/train.ipynb');

    await service.ask('versions', { model: 'churn', query: 'metrics.auc > 0.9' });

    expect(requests.find(each => each.path === 'registries')?.asked).toEqual({ near: 'project/train.ipynb' });
    expect(requests[requests.length - 1]).toEqual({
      method: 'GET',
      path: 'versions',
      asked: { registry: '~project', model: 'churn', query: 'metrics.auc > 0.9' }
    });
  });

  it('keeps the registry that somebody chose, whatever notebook is opened', async () => {
    const { service } = given();
    await service.near('project/train.ipynb');
    await service.choose('old');

    await service.near('elsewhere/other.ipynb');

    expect(service.registry?.key).toBe('old');
  });

  it('follows the notebook again once its own registry was chosen', async () => {
    const { service } = given();
    await service.near('project/train.ipynb');
    await service.choose('old');
    await service.choose('~project');
    wire('registries').answer.reverse();

    await service.near('elsewhere/other.ipynb');
    wire('registries').answer.reverse();

    expect(service.registry?.key).toBe('old'); // which is that notebook's own
  });

  it('turns to the registry of an id, or says that this server opens none of it', async () => {
    const { service } = given();
    await service.near('project/train.ipynb');
    const [, other] = service.registries;

    await service.chooseById(other.id);
    expect(service.registry?.key).toBe(other.key);

    expect([service.isAnother(service.registries[0].id), service.isAnother(other.id), service.isAnother('')]).toEqual([true, false, false]);

    const refusal = await service.chooseById('another').catch(error => error);
    expect([refusal.code, service.registry?.key]).toEqual(['another-registry', other.key]);
  });

  it('takes no registry for another one that had no id when the page was loaded', async () => {
    const { service } = given();
    const [own] = wire('registries').answer;
    const id = own.id;
    own.id = '';
    await service.near('project/train.ipynb');
    own.id = id;

    expect(service.isAnother(id)).toBe(false);
    await service.choose('old');
    await service.chooseById(id);
    expect(service.registry?.key).toBe('~project');
  });

  it('changes nothing in another registry than the one that is shown', async () => {
    const { service, requests } = given();
    await service.near('project/train.ipynb');
    let shown = service.registry?.key;
    service.registryChanged.connect(() => (shown = service.registry?.key));

    const turned = service.choose('old');
    const before = shown;
    await Promise.all([turned, service.ask('promote', { ref: 'churn@3', to: 'staging' })]); // pressed before the page knows
    await service.ask('promote', { ref: 'churn@3', to: 'staging' });

    const changed = requests.filter(each => each.path === 'promote').map(each => each.asked['registry']);
    expect(changed).toEqual([before, shown]);
    expect(changed).toEqual(['~project', 'old']);
  });

  it('posts what changes something, as JSON', async () => {
    const { service, requests } = given();
    await service.near('project/train.ipynb');

    const item = await service.ask('promote', { ref: 'churn@3', to: 'staging', reason: 'Ready' });

    expect(item.version.stage).toBe('staging');
    expect(requests[requests.length - 1]).toEqual({
      method: METHODS.promote,
      path: 'promote',
      asked: { registry: '~project', ref: 'churn@3', to: 'staging', reason: 'Ready' }
    });
  });

  it.each([
    ['refused-name-taken', 'name-taken', true],
    ['refused-unknown-model', 'unknown-model', false],
    ['refused-read-only', 'read-only', false],
    ['refused-conflict', 'conflict', true]
  ])('gives the fact and the next step of %s', async (file, code, isConflict) => {
    const { service } = given({ promote: file });

    const refusal: Refusal = await service.ask('promote', { ref: 'churn@2' }).catch(error => error);

    expect([refusal.code, refusal.isConflict]).toEqual([code, isConflict]);
    expect(refusal.message).toBe(wire(file).answer.message);
    expect(refusal.hint).toBe(wire(file).answer.hint);
  });

  it('asks for nothing while nobody looks', async () => {
    const hidden = recorded({}, { interval: 1, isHidden: () => true });
    const shown = recorded({}, { interval: 1 });
    const polls = (of: typeof hidden): number => of.requests.filter(each => each.path === 'poll').length;
    await Promise.all([hidden.service.near(''), shown.service.near('')]);

    await vi.waitUntil(() => polls(shown) > 5, { timeout: 20_000 });
    hidden.service.dispose();
    shown.service.dispose();

    expect(polls(hidden)).toBe(1); // where changes are told from, once
  });

  it('asks as often as it is told to', async () => {
    const { service, requests } = given();
    const polls = (): number => requests.filter(each => each.path === 'poll').length;
    await service.near('');
    expect(polls()).toBe(1); // and not again for a quarter of an hour

    service.interval = 1;

    await vi.waitUntil(() => polls() > 5, { timeout: 20_000 });
  });

  it('tells changes, but not what was there before anybody looked', async () => {
    const { service, requests } = given();
    const told: IChanges[] = [];
    service.changed.connect((_, changes) => told.push(changes));
    await service.near('project/train.ipynb');
    const before = told.length;

    await service.refresh();

    expect([before, told.length]).toEqual([0, 1]);
    const polls = requests.filter(each => each.path === 'poll');
    expect(polls[polls.length - 1].asked['since']).toBe(wire('poll').answer.cursor);
  });
});
