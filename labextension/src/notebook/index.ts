import type { JupyterFrontEnd } from '@jupyterlab/application';
import { InputDialog, Notification, type ICommandPalette } from '@jupyterlab/apputils';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';

import { nbregIcon } from '../icon';
import { Refusal, type RegistryService } from '../service';
import { tellDocuments } from './document';
import { showMaker } from './jump';
import { openForm } from './register';

import '../../style/notebook.css';

export const NOTEBOOK_COMMANDS = { register: 'nbreg:register', showCell: 'nbreg:show-cell' } as const;

export interface INotebookParts {
  app: JupyterFrontEnd;
  notebooks: INotebookTracker;
  palette: ICommandPalette | null;
  service: RegistryService;
  trans: TranslationBundle;
  /** Show a version in the sidebar. */
  show: (ref: string) => void;
}

/** What the extension does in notebooks, but for badges: a form that registers, the way to a cell, the document told. */
export function extendNotebooks({ app, notebooks, palette, service, trans, show }: INotebookParts): void {
  tellDocuments(notebooks, app.serviceManager.sessions);

  app.commands.addCommand(NOTEBOOK_COMMANDS.register, {
    label: trans.__('Register model…'),
    icon: nbregIcon,
    isEnabled: () => notebooks.currentWidget !== null,
    execute: () => {
      const panel = notebooks.currentWidget;
      if (panel?.content.model?.readOnly) {
        Notification.info(trans.__('This notebook cannot be changed.'), { autoClose: 5000 });
      } else if (panel) {
        openForm(panel, trans, ref => {
          // The sidebar follows what changes, and this is what somebody waits for.
          void service.refresh().catch(() => undefined);
          show(ref);
        });
      }
    }
  });
  notebooks.currentChanged.connect(() => app.commands.notifyCommandChanged(NOTEBOOK_COMMANDS.register));

  app.commands.addCommand(NOTEBOOK_COMMANDS.showCell, {
    label: trans.__('Go to the cell that made a version…'),
    execute: async args => {
      const ref = typeof args['ref'] === 'string' ? args['ref'] : (await InputDialog.getText({ title: trans.__('Go to the cell that made a version'), placeholder: 'churn@production' })).value?.trim();
      if (!ref) {
        return '';
      }
      try {
        await showMaker(app, notebooks, service, trans, ref);
        return '';
      } catch (error) {
        const { message, hint } = Refusal.of(error);
        const told = [message, hint].filter(Boolean).join(' · ');
        if (args['quiet'] !== true) {
          Notification.warning(told, { autoClose: 8000 });
        }
        return told;
      }
    }
  });
  for (const command of Object.values(NOTEBOOK_COMMANDS)) {
    palette?.addItem({ command, category: trans.__('Models') });
  }
}
