import { NotebookActions, type INotebookTracker } from '@jupyterlab/notebook';
import type { Session } from '@jupyterlab/services';

import { documentOf } from './cells';
import { tellDocument } from './kernel';

/** What stands in a cell that registers; the kernel looks for the same. */
const REGISTERS = /\bregister(?:_model)?\b/;

/**
 * Tells a kernel the document just before a cell that registers is sent, so that the version knows which of the
 * cells it depends on were edited since they ran, and which are gone. No other cell, and no key, costs a message.
 */
export function tellDocuments(notebooks: INotebookTracker, sessions: Session.IManager): void {
  NotebookActions.executionScheduled.connect((_, { notebook, cell }) => {
    const panel = notebooks.find(each => each.content === notebook);
    const kernel = panel?.sessionContext.session?.kernel;
    const language = notebook.model?.defaultKernelLanguage || 'python';
    if (kernel && language === 'python' && cell.model.type === 'code' && REGISTERS.test(cell.model.sharedModel.getSource())) {
      tellDocument(kernel, cell.model.id, documentOf(notebook.widgets), usersOf(sessions, kernel.id) < 2);
    }
  });
}

/** How many documents and consoles have that kernel. */
function usersOf(sessions: Session.IManager, kernel: string): number {
  return [...sessions.running()].filter(each => each.kernel?.id === kernel).length;
}
