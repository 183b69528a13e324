import { createContext, useContext } from 'react';

/** How somebody wants the lists to be, by the settings. */
export interface IPreferences {
  /** The metric that is shown beside versions; empty: the one that most of them have. */
  metric: string;
  /** What versions are sorted by, as `registry.versions` takes it; empty: newest first. */
  sort: string;
  /** A pointer went down on a version, which may be the beginning of a drag. */
  drag: (ref: string, event: PointerEvent) => void;
}

export const DEFAULTS: IPreferences = { metric: '', sort: '', drag: () => undefined };

export const Preferences = createContext<IPreferences>(DEFAULTS);

export const usePreferences = (): IPreferences => useContext(Preferences);
