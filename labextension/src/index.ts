import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, InputDialog } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { INotebookTracker, NotebookActions } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { Badges } from './badges';
import { OPEN } from './cards';
import { nbregIcon } from './icon';
import { keepKeys } from './keys';
import { extendNotebooks, NOTEBOOK_COMMANDS } from './notebook';
import { RegistryPanel } from './panel';
import { Refusal, RegistryService } from './service';
import { loadingCode } from './words';

import '../style/index.css';

export const COMMANDS = { open: 'nbreg:open', show: 'nbreg:show-version', insert: 'nbreg:insert-load', refresh: 'nbreg:refresh' } as const;

const plugin: JupyterFrontEndPlugin<void> = {
  id: 'nbreg:plugin',
  description: 'The models of the registry, beside the notebook.',
  autoStart: true,
  optional: [INotebookTracker, ICommandPalette, ILayoutRestorer, ISettingRegistry, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    notebooks: INotebookTracker | null,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    settings: ISettingRegistry | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('nbreg');
    const service: RegistryService = new RegistryService({
      serverSettings: app.serviceManager.serverSettings,
      isHidden: () => !panel.isVisible && !badges?.areShown
    });
    const insertCode = (ref: string): string => {
      const notebook = notebooks?.currentWidget;
      if (!notebook?.content.activeCell || !notebook.content.model) {
        return trans.__('No notebook is open.');
      }
      if (notebook.content.model.readOnly) {
        return trans.__('This notebook cannot be changed.');
      }
      // A kernel in the notebook's folder finds its registry by itself; any other one has to be named.
      const isOwn = service.registry === service.registries[0] && service.registry?.key.startsWith('~');
      NotebookActions.insertBelow(notebook.content);
      notebook.content.activeCell.model.sharedModel.setSource(loadingCode(ref, isOwn ? null : service.registry?.location ?? null));
      notebook.content.mode = 'edit';
      return '';
    };
    const showCell = async (ref: string): Promise<string> =>
      notebooks ? String(await app.commands.execute(NOTEBOOK_COMMANDS.showCell, { ref, quiet: true })) : trans.__('No notebook can be opened here.');
    const panel: RegistryPanel = new RegistryPanel({ service, trans, insertCode, showCell });
    let badges: Badges | null = null;

    const near = (): void => {
      const path = notebooks?.currentWidget?.context.path;
      if (path !== undefined && path !== panel.near) {
        const folder = PathExt.dirname(panel.near);
        panel.near = path;
        if (PathExt.dirname(path) !== folder && service.hello) {
          void service.near(path).catch(() => undefined);
        }
      }
    };
    notebooks?.currentChanged.connect(near);
    app.shell.add(panel, 'left', { rank: 650 });
    restorer?.add(panel, 'nbreg-panel');

    // Cards and badges do not know of a sidebar; what they want bubbles up to here.
    document.addEventListener(OPEN, event => {
      const ref = (event as CustomEvent<unknown>).detail;
      if (typeof ref === 'string') {
        void app.commands.execute(COMMANDS.show, { ref });
      }
    });

    document.addEventListener('focusin', keepKeys);

    app.commands.addCommand(COMMANDS.open, {
      label: trans.__('Show the models'),
      icon: nbregIcon,
      execute: () => app.shell.activateById(panel.id)
    });
    app.commands.addCommand(COMMANDS.refresh, {
      label: trans.__('Look for changes of the models'),
      execute: () => service.refresh().catch(error => console.warn(`nbreg: ${Refusal.of(error).message}`))
    });
    app.commands.addCommand(COMMANDS.show, {
      label: trans.__('Show a version…'),
      execute: async args => {
        const ref = typeof args['ref'] === 'string' ? args['ref'] : await asked(trans.__('Show a version'));
        if (ref) {
          panel.showVersion(ref);
          app.shell.activateById(panel.id);
        }
      }
    });
    app.commands.addCommand(COMMANDS.insert, {
      label: trans.__('Insert code to load a version…'),
      isEnabled: () => Boolean(notebooks?.currentWidget),
      execute: async args => {
        const ref = typeof args['ref'] === 'string' ? args['ref'] : await asked(trans.__('Insert code to load a version'));
        return ref ? insertCode(ref) : '';
      }
    });
    const asked = async (title: string): Promise<string> => {
      const { value } = await InputDialog.getText({ title, placeholder: 'churn@production' });
      return value?.trim() ?? '';
    };
    for (const command of Object.values(COMMANDS)) {
      palette?.addItem({ command, category: trans.__('Models') });
    }

    if (notebooks) {
      extendNotebooks({ app, notebooks, palette, service, trans, show: ref => void app.commands.execute(COMMANDS.show, { ref }) });
    }

    const apply = (showBadges: boolean): void => {
      if (!showBadges || !notebooks) {
        badges?.dispose();
        badges = null;
      } else if (!badges) {
        // Badges need the registry, though the sidebar may never be opened.
        badges = new Badges(notebooks, service, trans);
        service
          .connect()
          .then(() => service.near(panel.near))
          .catch(error => console.warn(`nbreg: ${Refusal.of(error).message}`));
      }
    };
    void Promise.all([settings?.load('nbreg:plugin').catch(() => null) ?? null, app.restored]).then(([loaded]) => {
      const read = (): void => apply(loaded ? Boolean(loaded.get('badges').composite) : true);
      loaded?.changed.connect(read);
      read();
    });
  }
};

export default plugin;
