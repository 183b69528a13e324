import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { expect, it } from 'vitest';

import schema from '../schema/plugin.json';
import { settingsOf } from '../src/settings';

it('holds what the schema says where settings cannot be read', () => {
  const told = Object.entries(schema.properties).map(([name, each]) => [name, each.default]);

  expect(settingsOf(null)).toEqual(Object.fromEntries(told));
});

it('holds what somebody chose', () => {
  const chosen = { composite: { badges: false, metric: 'auc' } } as unknown as ISettingRegistry.ISettings;

  expect(settingsOf(chosen)).toMatchObject({ badges: false, metric: 'auc', sort: '', pollSeconds: 3 });
});

it.each([
  ['', true],
  ['-metrics.auc', true],
  ['metrics.val/auc', false],
  ['number', true],
  ['-created', true],
  ['whatever', false]
])('takes %s as an order of versions: %s', (order, isOne) => {
  expect(new RegExp(schema.properties.sort.pattern).test(order)).toBe(isOne);
});
