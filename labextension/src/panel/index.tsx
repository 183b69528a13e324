import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { Signal, type ISignal } from '@lumino/signaling';
import React from 'react';

import { nbregIcon } from '../icon';
import { Surrounded, type ISurroundings } from './parts';
import { DEFAULTS, Preferences, type IPreferences } from './preferences';
import { Sidebar } from './sidebar';

import '../../style/places.css';

/** The sidebar: React draws it, Lumino owns it. */
export class RegistryPanel extends ReactWidget {
  constructor(private readonly _surroundings: ISurroundings) {
    super();
    const { trans } = _surroundings;
    this.id = 'nbreg-panel';
    this.addClass('jp-nbreg-Panel');
    this.title.icon = nbregIcon;
    this.title.caption = trans.__('Models (nbreg)');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Models of nbreg'));
  }

  /** The notebook or folder whose registry is shown. */
  near = '';

  /** The version that was asked for last, for a panel that was not drawn yet. */
  wanted = '';

  /** Somebody wants to type into the box as soon as there is one. */
  isSearchWanted = false;

  /** A version is asked for elsewhere: by a card, a badge, a command; or, with an empty name, the list. */
  get asked(): ISignal<this, string> {
    return this._asked;
  }

  /** How its lists are to be. */
  set preferences(wanted: IPreferences) {
    this._preferences = wanted;
    this.update();
  }

  /** Go to the list of models, and into its search. */
  search(): void {
    this.isSearchWanted = true;
    this.wanted = '';
    this._asked.emit('');
    this.update();
  }

  /** Show a version. */
  showVersion(ref: string): void {
    this.wanted = ref;
    this._asked.emit(ref);
  }

  render(): JSX.Element {
    return (
      <Surrounded by={this._surroundings}>
        <Preferences.Provider value={this._preferences}>
          <Sidebar widget={this} />
        </Preferences.Provider>
      </Surrounded>
    );
  }

  protected onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    void this._surroundings.service.refresh().catch(() => undefined);
  }

  private _preferences = DEFAULTS;
  private readonly _asked = new Signal<this, string>(this);
}
