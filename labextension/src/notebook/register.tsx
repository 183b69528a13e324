import type { ISessionContext } from '@jupyterlab/apputils';
import { NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';
import type { Kernel } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { Translation } from '../translation';
import { producedBy } from './cells';
import { FormDialog } from './dialog';
import { RegisterForm } from './form';
import { KernelQuestions } from './kernel';

/** Ask what to register of a notebook's kernel, and run the line that does it in a cell of the notebook. */
export function openForm(panel: NotebookPanel, trans: TranslationBundle, onRegistered: (ref: string) => void): FormDialog {
  const { sessionContext } = panel;
  const { holding, preview } = new KernelQuestions(sessionContext, trans);
  const follow = (told: () => void): (() => void) => followKernel(sessionContext, told);
  const register = async (cell: string): Promise<void> => {
    const made = await runInNewCell(panel, cell);
    if (made) {
      onRegistered(made);
    }
  };
  const dialog = new FormDialog(trans.__('Register a model'), close => (
    <Translation.Provider value={trans}>
      <RegisterForm
        hold={holding}
        preview={preview}
        follow={follow}
        onCancel={close}
        onRegister={cell => {
          close();
          void register(cell);
        }}
      />
    </Translation.Provider>
  ));
  panel.disposed.connect(dialog.dispose, dialog); // by its own method, so that a closed one is let go
  dialog.open();
  return dialog;
}

/** Tell when the kernel began anew and answers, or is another one; what comes back ends it. */
function followKernel({ kernelChanged, statusChanged }: ISessionContext, told: () => void): () => void {
  let isAnew = false;
  const look = (_: unknown, status: Kernel.Status): void => {
    if (status === 'restarting' || status === 'autorestarting') {
      isAnew = true;
    } else if (isAnew && status === 'idle') {
      isAnew = false;
      told();
    }
  };
  kernelChanged.connect(told);
  statusChanged.connect(look);
  return () => {
    kernelChanged.disconnect(told);
    statusChanged.disconnect(look);
  };
}

/** Put it below the active cell and run it there, as if it had been typed; the version that came of it. */
async function runInNewCell(panel: NotebookPanel, source: string): Promise<string> {
  const { content, context } = panel;
  if (!content.model) {
    return '';
  }
  const at = content.model.cells.length === 0 ? 0 : content.activeCellIndex + 1;
  content.model.sharedModel.insertCell(at, { cell_type: 'code', source, metadata: {} });
  content.activeCellIndex = at;
  content.deselectAll();
  content.mode = 'command';
  const cell = content.widgets[at];
  content.activate();
  void content.scrollToItem(at);
  const ran = await NotebookActions.run(content, context.sessionContext).catch(() => false);
  return ran && !cell.isDisposed ? (producedBy(cell)?.ref ?? '') : '';
}
