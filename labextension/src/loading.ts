import { NotebookActions, type INotebookTracker } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';

import { Refusal, type RegistryService } from './service';
import { loadingCode } from './words';

/** Code that loads versions, for the notebook that is open. */
export class LoadingCode {
  constructor(
    private readonly _notebooks: INotebookTracker | null,
    private readonly _service: RegistryService,
    private readonly _trans: TranslationBundle
  ) {}

  /** The code that loads what a reference means: a kernel in the notebook's folder finds its registry by itself, any other one has to be named. */
  of(ref: string): string {
    const { registry, registries } = this._service;
    const isOwn = registry === registries[0] && registry?.key.startsWith('~');
    return loadingCode(ref, isOwn ? null : (registry?.location ?? null));
  }

  /** Why it cannot be put into a notebook now; null where it can. */
  whyNot(): Refusal | null {
    const notebook = this._notebooks?.currentWidget?.content;
    if (!notebook?.activeCell) {
      return new Refusal('no-notebook', this._trans.__('no notebook is open'), this._trans.__('open the one that it is for'));
    }
    return notebook.model?.readOnly ? new Refusal('read-only', this._trans.__('this notebook cannot be changed')) : null;
  }

  /** Put it into a cell of its own below the active one. Says why it cannot; null where it did. */
  insert(ref: string): Refusal | null {
    const why = this.whyNot();
    const notebook = this._notebooks?.currentWidget?.content;
    if (!why && notebook) {
      NotebookActions.insertBelow(notebook);
      notebook.activeCell?.model.sharedModel.setSource(this.of(ref));
      notebook.mode = 'edit';
    }
    return why;
  }
}
