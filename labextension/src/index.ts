import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Clipboard, ICommandPalette } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { INotebookTracker, NotebookActions } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { Badges } from './badges';
import { OPEN } from './cards';
import { addCommands, COMMANDS } from './commands';
import { dragVersion } from './drag';
import { keepKeys } from './keys';
import { extendNotebooks, NOTEBOOK_COMMANDS } from './notebook';
import { RegistryPanel } from './panel';
import { Refusal, RegistryService } from './service';
import { settingsOf } from './settings';
import { loadingCode } from './words';

import '../style/index.css';

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
    // A kernel in the notebook's folder finds its registry by itself; any other one has to be named.
    const codeFor = (ref: string): string => {
      const isOwn = service.registry === service.registries[0] && service.registry?.key.startsWith('~');
      return loadingCode(ref, isOwn ? null : service.registry?.location ?? null);
    };
    const insertCode = (ref: string): string => {
      const notebook = notebooks?.currentWidget;
      if (!notebook?.content.activeCell || !notebook.content.model) {
        return trans.__('No notebook is open.');
      }
      if (notebook.content.model.readOnly) {
        return trans.__('This notebook cannot be changed.');
      }
      NotebookActions.insertBelow(notebook.content);
      notebook.content.activeCell.model.sharedModel.setSource(codeFor(ref));
      notebook.content.mode = 'edit';
      return '';
    };
    const showCell = async (ref: string): Promise<string> =>
      notebooks ? String(await app.commands.execute(NOTEBOOK_COMMANDS.showCell, { ref, quiet: true })) : trans.__('No notebook can be opened here.');
    const panel: RegistryPanel = new RegistryPanel({ service, trans, insertCode, showCell, copyText: text => Clipboard.copyToSystem(text) });
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

    let loaded: ISettingRegistry.ISettings | null = null;
    addCommands(app, palette, {
      panel,
      service,
      trans,
      insertCode,
      hasNotebook: () => Boolean(notebooks?.currentWidget),
      badges: { areOn: () => settingsOf(loaded).badges, toggle: async () => loaded?.set('badges', !settingsOf(loaded).badges) }
    });

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
    // Not earlier: whoever loads settings while JupyterLab or Notebook starts may be before its shortcuts, which then break.
    void app.restored.then(async () => {
      loaded = (await settings?.load('nbreg:plugin').catch(() => null)) ?? null;
      const read = (): void => {
        const { badges, pollSeconds, metric, sort } = settingsOf(loaded);
        service.interval = 1000 * pollSeconds;
        panel.preferences = { metric, sort, drag: (ref, event) => dragVersion(ref, codeFor(ref), event) };
        apply(badges);
        app.commands.notifyCommandChanged(COMMANDS.badges);
      };
      loaded?.changed.connect(read);
      read();
    });
  }
};

export default plugin;
