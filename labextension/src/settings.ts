import type { ISettingRegistry } from '@jupyterlab/settingregistry';

import { DEFAULTS } from './panel/preferences';

/** What `schema/plugin.json` asks. */
export interface ISettings {
  badges: boolean;
  pollSeconds: number;
  metric: string;
  sort: string;
}

/** What holds where settings cannot be read. */
const OTHERWISE: ISettings = { badges: true, pollSeconds: 3, metric: DEFAULTS.metric, sort: DEFAULTS.sort };

/** The settings as they are now: JupyterLab has checked them against the schema. */
export function settingsOf(loaded: ISettingRegistry.ISettings | null): ISettings {
  return { ...OTHERWISE, ...(loaded?.composite as Partial<ISettings> | undefined) };
}
