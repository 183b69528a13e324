import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Clipboard, ICommandPalette } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator, type TranslationBundle } from '@jupyterlab/translation';

import { Badges } from './badges';
import { OPEN, type IWanted } from './cards';
import { addCommands, COMMANDS } from './commands';
import { dragVersion } from './drag';
import { keepKeys } from './keys';
import { LoadingCode } from './loading';
import { extendNotebooks, NOTEBOOK_COMMANDS } from './notebook';
import { RegistryPanel } from './panel';
import { Refusal, RegistryService } from './service';
import { settingsOf } from './settings';
import { sentence } from './telling';

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
      trans,
      isHidden: () => !panel.isVisible && !badges?.areShown
    });
    const code = new LoadingCode(notebooks, service, trans);
    const panel: RegistryPanel = newPanel(app, service, code, notebooks, trans);
    let badges: Badges | null = null;
    let loaded: ISettingRegistry.ISettings | null = null;
    const show = (wanted: IWanted): void => void app.commands.execute(COMMANDS.show, { ...wanted });
    const toggle = async (): Promise<void> => {
      if (!loaded) {
        throw new Refusal('no-settings', trans.__('the settings cannot be read'));
      }
      await loaded.set('badges', !settingsOf(loaded).badges);
    };

    app.shell.add(panel, 'left', { rank: 650 });
    restorer?.add(panel, 'nbreg-panel');
    addCommands({ app, panel, service, trans, code, badges: { areOn: () => settingsOf(loaded).badges, toggle } }, palette);
    // Cards and badges do not know of a sidebar; what they want bubbles up to here.
    document.addEventListener(OPEN, event => show((event as CustomEvent<IWanted>).detail));
    document.addEventListener('focusin', keepKeys);
    if (notebooks) {
      followNotebooks(notebooks, panel, service);
      extendNotebooks({ app, notebooks, palette, service, trans, show: ref => show({ ref, registry: '' }) });
    }

    const apply = (): void => {
      const { badges: areOn, pollSeconds, metric, sort } = settingsOf(loaded);
      service.interval = 1000 * pollSeconds;
      panel.preferences = { metric, sort, drag: (ref, event) => dragVersion(ref, code.of(ref), event) };
      if (!areOn || !notebooks) {
        badges?.dispose();
        badges = null;
      } else {
        badges ??= newBadges(notebooks, panel, service, trans);
      }
      app.commands.notifyCommandChanged(COMMANDS.badges);
    };
    // Not earlier: whoever loads settings while JupyterLab or Notebook starts may be before its shortcuts, which then break.
    void app.restored.then(async () => {
      loaded = (await settings?.load('nbreg:plugin').catch(() => null)) ?? null;
      loaded?.changed.connect(apply);
      apply();
    });
  }
};

function newPanel(app: JupyterFrontEnd, service: RegistryService, code: LoadingCode, notebooks: INotebookTracker | null, trans: TranslationBundle): RegistryPanel {
  return new RegistryPanel({
    service,
    trans,
    insertCode: ref => {
      const why = code.insert(ref);
      return why ? sentence(why) : '';
    },
    showCell: async ref =>
      notebooks ? String(await app.commands.execute(NOTEBOOK_COMMANDS.showCell, { ref, quiet: true })) : trans.__('No notebook can be opened here.'),
    copyText: text => Clipboard.copyToSystem(text)
  });
}

/** Badges need the registry, though the sidebar may never be opened. */
function newBadges(notebooks: INotebookTracker, panel: RegistryPanel, service: RegistryService, trans: TranslationBundle): Badges {
  const made = new Badges(notebooks, service, trans);
  service
    .connect()
    .then(() => service.near(panel.near))
    .catch(error => console.warn(`nbreg: ${sentence(error)}`)); // the sidebar shows it to whoever opens it
  return made;
}

/** Ask the registry of whatever notebook is in front. */
function followNotebooks(notebooks: INotebookTracker, panel: RegistryPanel, service: RegistryService): void {
  notebooks.currentChanged.connect(() => {
    const path = notebooks.currentWidget?.context.path;
    if (path === undefined || path === panel.near) {
      return;
    }
    const folder = PathExt.dirname(panel.near);
    panel.near = path;
    if (PathExt.dirname(path) !== folder && service.hello) {
      void service.near(path).catch(() => undefined); // whoever asks it something is told
    }
  });
}

export default plugin;
