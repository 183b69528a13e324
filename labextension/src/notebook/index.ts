import type { JupyterFrontEnd } from '@jupyterlab/application';
import { InputDialog, type ICommandPalette } from '@jupyterlab/apputils';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';

import { nbregIcon } from '../icon';
import { addToPalette } from '../palette';
import { Refusal, type RegistryService } from '../service';
import { sentence, tellWhyNot } from '../telling';
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
export function extendNotebooks(parts: INotebookParts): void {
  const { app, notebooks, palette, trans } = parts;
  tellDocuments(notebooks, app.serviceManager.sessions);
  app.commands.addCommand(NOTEBOOK_COMMANDS.register, {
    label: trans.__('Register model…'),
    icon: nbregIcon,
    caption: () => (notebooks.currentWidget ? '' : trans.__('Open a notebook first')),
    isEnabled: () => notebooks.currentWidget !== null,
    describedBy: { args: { type: 'object', properties: {} } },
    execute: () => register(parts)
  });
  notebooks.currentChanged.connect(() => app.commands.notifyCommandChanged(NOTEBOOK_COMMANDS.register));
  app.commands.addCommand(NOTEBOOK_COMMANDS.showCell, {
    label: trans.__('Go to the cell that made a version…'),
    describedBy: { args: OF_VERSION },
    execute: async args => showCell(parts, typeof args['ref'] === 'string' ? args['ref'] : await asked(trans), args['quiet'] === true)
  });
  addToPalette(palette, NOTEBOOK_COMMANDS, trans);
}

function register({ notebooks, service, trans, show }: INotebookParts): void {
  const panel = notebooks.currentWidget;
  if (panel?.content.model?.readOnly) {
    tellWhyNot(new Refusal('read-only', trans.__('this notebook cannot be changed')));
  } else if (panel) {
    openForm(panel, trans, ref => {
      // The sidebar follows what changes, and this is what somebody waits for.
      void service.refresh().catch(() => undefined);
      show(ref);
    });
  }
}

/** Says why there is no way to the cell: what comes back is for whoever shows it by itself, and `isQuiet`. */
async function showCell({ app, notebooks, service, trans }: INotebookParts, ref: string, isQuiet: boolean): Promise<string> {
  if (!ref) {
    return '';
  }
  try {
    await showMaker(app, notebooks, service, trans, ref);
    return '';
  } catch (error) {
    if (!isQuiet) {
      tellWhyNot(error);
    }
    return sentence(error);
  }
}

async function asked(trans: TranslationBundle): Promise<string> {
  const { value } = await InputDialog.getText({ title: trans.__('Go to the cell that made a version'), placeholder: 'churn@production' });
  return value?.trim() ?? '';
}

const OF_VERSION = {
  type: 'object',
  properties: {
    ref: { type: 'string', description: 'A reference, such as churn@production; asked for where there is none.' },
    quiet: { type: 'boolean', description: 'Whether nobody is told why there is no way to it: what comes back says so.' }
  }
} as const;
