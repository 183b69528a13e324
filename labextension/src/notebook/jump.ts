import type { JupyterFrontEnd } from '@jupyterlab/application';
import { NotebookPanel, type INotebookTracker } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { IOrigin, IVersionItem } from '../contract';
import { Refusal, type RegistryService } from '../service';
import { findMaker, isOf, seen } from './cells';

const FOUND = 'jp-nbreg-mod-found';

/** What JupyterLab opens notebooks with. Another file is never opened for what a version says of itself. */
const FACTORY = 'Notebook';

/** Go to the cell that made a version, and open its notebook for that. Rejects with a `Refusal` that says why not. */
export async function showMaker(app: JupyterFrontEnd, notebooks: INotebookTracker, service: RegistryService, trans: TranslationBundle, ref: string): Promise<void> {
  const [{ item }, origin] = await Promise.all([service.ask('version', { ref }), service.ask('version/origin', { ref })]);
  const panel = await notebookOf(app, notebooks, origin, item);
  if (!panel) {
    // Notebook 7 opens each document in a page of its own.
    throw new Refusal('no-notebook', origin.why || trans.__('%1 was opened in another page: the cell is [%2]', origin.notebook, origin.execution_count ?? ' '));
  }
  const at = findMaker(panel.content.widgets.map(seen), origin, item);
  app.shell.activateById(panel.id);
  if (at < 0) {
    throw new Refusal('no-cell', trans.__('the cell that made it is not in %1 any more', panel.context.path), trans.__('its recipe has the cell as it was'));
  }
  panel.content.activeCellIndex = at;
  panel.content.deselectAll();
  await panel.content.scrollToItem(at, 'center');
  point(panel.content.widgets[at].node);
}

/** The notebook, opened if need be; one that moved is found where it is open. */
async function notebookOf(app: JupyterFrontEnd, notebooks: INotebookTracker, origin: IOrigin, item: IVersionItem): Promise<NotebookPanel | null> {
  const { cell_id, notebook } = origin;
  if (notebook) {
    const opened: unknown = await app.commands.execute('docmanager:open', { path: notebook, factory: FACTORY });
    if (opened instanceof NotebookPanel) {
      await opened.context.ready;
      await opened.revealed;
      return opened;
    }
  }
  const isMaker = (cell: ReturnType<typeof seen>): boolean => (cell_id !== '' && cell.id === cell_id) || isOf(cell.produced, item);
  return notebooks.find(each => each.content.widgets.some(cell => isMaker(seen(cell)))) ?? null;
}

/** Show for a moment which one is meant. */
function point(node: HTMLElement): void {
  node.classList.remove(FOUND);
  node.getBoundingClientRect(); // so that the animation begins anew
  node.classList.add(FOUND);
  node.addEventListener('animationend', () => node.classList.remove(FOUND), { once: true });
}
