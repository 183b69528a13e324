import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Clipboard, InputDialog, type ICommandPalette } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import { nbregIcon } from './icon';
import type { RegistryPanel } from './panel';
import { Refusal, type RegistryService } from './service';

/** All commands; menus and shortcuts of them stand in `schema/plugin.json`. */
export const COMMANDS = {
  open: 'nbreg:open',
  search: 'nbreg:search',
  show: 'nbreg:show-version',
  insert: 'nbreg:insert-load',
  copy: 'nbreg:copy-reference',
  badges: 'nbreg:toggle-badges',
  refresh: 'nbreg:refresh'
} as const;

/** What the commands act on. */
export interface IActs {
  panel: RegistryPanel;
  service: RegistryService;
  trans: TranslationBundle;
  /** Put the code that loads a version into the open notebook; says why not, where it cannot. */
  insertCode: (ref: string) => string;
  hasNotebook: () => boolean;
  badges: { areOn: () => boolean; toggle: () => Promise<void> };
}

interface IArguments {
  ref?: unknown;
  /** `pointer`: the version that was under it when the menu was opened. */
  at?: unknown;
}

/** Add the commands, and those that need no version at hand to the palette. */
export function addCommands(app: JupyterFrontEnd, palette: ICommandPalette | null, acts: IActs): void {
  const { panel, service, trans, insertCode } = acts;
  const { commands, shell } = app;
  const reference = async (args: IArguments, title: string): Promise<string> => {
    const given = args.at === 'pointer' ? pointed(app) : args.ref;
    return typeof given === 'string' ? given : asked(title);
  };
  const isThere = (args: IArguments): boolean => args.at !== 'pointer' || pointed(app) !== '';
  const told = (error: unknown): void => console.warn(`nbreg: ${Refusal.of(error).message}`);

  commands.addCommand(COMMANDS.open, {
    label: trans.__('Show the models'),
    icon: nbregIcon,
    describedBy: { args: NOTHING },
    execute: () => shell.activateById(panel.id)
  });
  commands.addCommand(COMMANDS.search, {
    label: trans.__('Search models and versions'),
    describedBy: { args: NOTHING },
    execute: () => {
      shell.activateById(panel.id);
      panel.search();
    }
  });
  commands.addCommand(COMMANDS.show, {
    label: args => (args['at'] === 'pointer' ? trans.__('Show %1', pointed(app)) : trans.__('Show a version…')),
    isVisible: isThere,
    describedBy: { args: OF_VERSION },
    execute: async args => {
      const ref = await reference(args, trans.__('Show a version'));
      if (ref) {
        panel.showVersion(ref);
        shell.activateById(panel.id);
      }
    }
  });
  commands.addCommand(COMMANDS.insert, {
    label: args => (args['at'] === 'pointer' ? trans.__('Insert code to load it') : trans.__('Insert code to load a version…')),
    isVisible: isThere,
    isEnabled: acts.hasNotebook,
    describedBy: { args: OF_VERSION },
    execute: async args => {
      const ref = await reference(args, trans.__('Insert code to load a version'));
      return ref ? insertCode(ref) : '';
    }
  });
  commands.addCommand(COMMANDS.copy, {
    label: args => (args['at'] === 'pointer' ? trans.__('Copy the reference that never moves') : trans.__('Copy a reference that never moves…')),
    isVisible: isThere,
    describedBy: { args: OF_VERSION },
    execute: async args => {
      const ref = await reference(args, trans.__('Copy a reference that never moves'));
      if (ref) {
        await service.ask('version', { ref }).then(({ pinned }) => Clipboard.copyToSystem(pinned), told);
      }
    }
  });
  commands.addCommand(COMMANDS.badges, {
    label: trans.__('Badges on cells'),
    isToggled: acts.badges.areOn,
    describedBy: { args: NOTHING },
    execute: acts.badges.toggle
  });
  commands.addCommand(COMMANDS.refresh, {
    label: trans.__('Look for changes of the models'),
    describedBy: { args: NOTHING },
    execute: () => service.refresh().catch(told)
  });
  for (const command of Object.values(COMMANDS)) {
    palette?.addItem({ command, category: trans.__('Models') });
  }
}

async function asked(title: string): Promise<string> {
  const { value } = await InputDialog.getText({ title, placeholder: 'churn@production' });
  return value?.trim() ?? '';
}

/** The version that a context menu is about: a line of the sidebar, or a cell with a badge. */
function pointed(app: JupyterFrontEnd): string {
  const node = app.contextMenuHitTest(each => each.dataset['nbregRef'] !== undefined || each.classList.contains('jp-Cell'));
  return node?.dataset['nbregRef'] ?? node?.querySelector<HTMLElement>(':scope > .jp-nbreg-Badge')?.dataset['ref'] ?? '';
}

const NOTHING = { type: 'object', properties: {} } as const;

const OF_VERSION = {
  type: 'object',
  properties: {
    ref: { type: 'string', description: 'A reference, such as churn@production; asked for where there is none.' },
    at: { type: 'string', enum: ['pointer'], description: 'The version that the context menu was opened on.' }
  }
} as const;
