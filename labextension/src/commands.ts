import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Clipboard, InputDialog, type ICommandPalette } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import { wantedOf } from './badges';
import type { IWanted } from './cards';
import type { IVersionDetail } from './contract';
import { nbregIcon } from './icon';
import type { LoadingCode } from './loading';
import { addToPalette } from './palette';
import type { RegistryPanel } from './panel';
import { Refusal, type RegistryService } from './service';
import { tellDone, tellWhyNot } from './telling';

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
  app: JupyterFrontEnd;
  panel: RegistryPanel;
  service: RegistryService;
  trans: TranslationBundle;
  code: LoadingCode;
  badges: { areOn: () => boolean; toggle: () => Promise<void> };
}

interface IArguments {
  ref?: unknown;
  /** The id of the registry that it is in, if it need not be the one that is shown. */
  registry?: unknown;
  /** `pointer`: the version that was under it when the menu was opened. */
  at?: unknown;
  /** Whether it is to be the reference that never moves. */
  pinned?: unknown;
}

/** Add the commands, and those that need no version at hand to the palette. */
export function addCommands(acts: IActs, palette: ICommandPalette | null): void {
  addWays(acts);
  addUses(acts);
  addSwitches(acts);
  addToPalette(palette, COMMANDS, acts.trans);
}

/** What leads into the sidebar. */
function addWays(acts: IActs): void {
  const { app, panel, service, trans } = acts;
  const { commands, shell } = app;
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
    label: args => (args['at'] === 'pointer' ? trans.__('Show %1', pointed(app)?.dataset['nbregSaid'] ?? '') : trans.__('Show a version…')),
    isVisible: isThere(app),
    describedBy: { args: OF_VERSION },
    execute: async args => {
      try {
        const wanted = await meant(acts, args, trans.__('Show a version'));
        if (!wanted) {
          return;
        }
        if (wanted.registry !== '' && wanted.registry !== service.registry?.id) {
          await service.chooseById(wanted.registry);
        }
        panel.showVersion(wanted.ref);
        shell.activateById(panel.id);
      } catch (error) {
        tellWhyNot(error);
      }
    }
  });
}

/** What is done with a version: code gets the name of one that was pointed at, and what was typed as it was typed. */
function addUses(acts: IActs): void {
  const { app, service, trans, code } = acts;
  const { commands } = app;
  commands.addCommand(COMMANDS.insert, {
    label: args => (args['at'] === 'pointer' ? trans.__('Insert code to load it') : trans.__('Insert code to load a version…')),
    isVisible: isThere(app),
    describedBy: { args: OF_VERSION },
    execute: async args => {
      try {
        refuse(code.whyNot());
        const wanted = await meant(acts, args, trans.__('Insert code to load a version'));
        if (wanted) {
          const { item } = await found(wanted, service, trans);
          refuse(code.insert(wanted.isTyped ? wanted.ref : item.ref));
        }
      } catch (error) {
        tellWhyNot(error);
      }
    }
  });
  commands.addCommand(COMMANDS.copy, {
    label: args => copyLabel(args, trans),
    isVisible: isThere(app),
    describedBy: { args: { ...OF_VERSION, properties: { ...OF_VERSION.properties, pinned: PINNED } } },
    execute: async args => {
      try {
        const wanted = await meant(acts, args, trans.__('Copy a reference'));
        if (wanted) {
          const { item, pinned } = await found(wanted, service, trans);
          const text = args['pinned'] === true ? pinned : item.ref;
          Clipboard.copyToSystem(text);
          tellDone(trans.__('Copied: %1', text));
        }
      } catch (error) {
        tellWhyNot(error);
      }
    }
  });
}

function copyLabel(args: IArguments, trans: TranslationBundle): string {
  if (args.pinned === true) {
    return args.at === 'pointer' ? trans.__('Copy the reference that never moves') : trans.__('Copy a reference that never moves…');
  }
  return args.at === 'pointer' ? trans.__('Copy its reference') : trans.__('Copy a reference…');
}

function addSwitches({ app, service, trans, badges }: IActs): void {
  app.commands.addCommand(COMMANDS.badges, {
    label: trans.__('Badges on cells'),
    isToggled: badges.areOn,
    describedBy: { args: NOTHING },
    execute: () => badges.toggle().catch(tellWhyNot)
  });
  app.commands.addCommand(COMMANDS.refresh, {
    label: trans.__('Look for changes of the models'),
    describedBy: { args: NOTHING },
    execute: () => service.refresh().catch(tellWhyNot)
  });
}

/** A version that a command is about. */
interface IMeant extends IWanted {
  /** Somebody wrote the reference, and may have meant one that moves. */
  isTyped: boolean;
}

/** The version under the pointer, that which was given, or what somebody types; null where they think better of it. */
async function meant({ app, trans }: IActs, args: IArguments, title: string): Promise<IMeant | null> {
  if (args.at === 'pointer') {
    const node = pointed(app);
    if (!node) {
      throw new Refusal('gone', trans.__('the version that was pointed at is not there any more'), trans.__('open the menu again'));
    }
    return { ...wantedOf(node), isTyped: false };
  }
  const ref = typeof args.ref === 'string' ? args.ref : await asked(title);
  return ref ? { ref, registry: typeof args.registry === 'string' ? args.registry : '', isTyped: true } : null;
}

async function asked(title: string): Promise<string> {
  const { value } = await InputDialog.getText({ title, placeholder: 'churn@production' });
  return value?.trim() ?? '';
}

/** What is known of it. Rejects with a `Refusal`, also where it is in another registry than the one that is shown. */
async function found(wanted: IWanted, service: RegistryService, trans: TranslationBundle): Promise<IVersionDetail> {
  if (service.isAnother(wanted.registry)) {
    throw new Refusal('another-registry', trans.__('%1 is in another registry than the one that is shown', wanted.ref), trans.__('show it first'));
  }
  return service.ask('version', { ref: wanted.ref });
}

function refuse(why: Refusal | null): void {
  if (why) {
    throw why;
  }
}

const isThere =
  (app: JupyterFrontEnd) =>
  (args: IArguments): boolean =>
    args.at !== 'pointer' || pointed(app) !== null;

/** What a context menu is about: a line of the sidebar, or a cell with a badge. */
function pointed(app: JupyterFrontEnd): HTMLElement | null {
  const node = app.contextMenuHitTest(each => each.dataset['nbregRef'] !== undefined || each.classList.contains('jp-Cell'));
  return node?.dataset['nbregRef'] === undefined ? (node?.querySelector<HTMLElement>(':scope > .jp-nbreg-Badge') ?? null) : node;
}

const NOTHING = { type: 'object', properties: {} } as const;

const OF_VERSION = {
  type: 'object',
  properties: {
    ref: { type: 'string', description: 'A reference, such as churn@production; asked for where there is none.' },
    registry: { type: 'string', description: 'The id of the registry that it is in, if that need not be the one that is shown.' },
    at: { type: 'string', enum: ['pointer'], description: 'The version that the context menu was opened on.' }
  }
} as const;

const PINNED = { type: 'boolean', description: 'Whether it is to be the reference that never moves.' } as const;
