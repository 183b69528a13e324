import type { JupyterFrontEnd } from '@jupyterlab/application';
import { NotebookPanel, type INotebookTracker } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { IOrigin } from '../contract';
import { Refusal, type RegistryService } from '../service';
import { findMaker, seen } from './cells';

const FOUND = 'jp-nbreg-mod-found';

/** Go to the cell that made a version, and open its notebook for that. Rejects with a `Refusal` that says why not. */
export async function showMaker(app: JupyterFrontEnd, notebooks: INotebookTracker, service: RegistryService, trans: TranslationBundle, ref: string): Promise<void> {
  const [{ item }, origin] = await Promise.all([service.ask('version', { ref }), service.ask('version/origin', { ref })]);
  const byNumber = `${item.model}@${item.version.number}`;
  const panel = await notebookOf(app, notebooks, origin, byNumber);
  if (!panel) {
    // Notebook 7 opens each document in a page of its own.
    throw new Refusal('no-notebook', origin.why || trans.__('%1 was opened in another page: the cell is [%2]', origin.notebook, origin.execution_count ?? ' '));
  }
  const at = findMaker(panel.content.widgets.map(seen), origin, byNumber);
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
async function notebookOf(app: JupyterFrontEnd, notebooks: INotebookTracker, origin: IOrigin, ref: string): Promise<NotebookPanel | null> {
  if (origin.notebook) {
    const opened: unknown = await app.commands.execute('docmanager:open', { path: origin.notebook });
    if (opened instanceof NotebookPanel) {
      await opened.context.ready;
      await opened.revealed;
      return opened;
    }
  }
  const { cell_id } = origin;
  return notebooks.find(each => each.content.widgets.some(cell => (cell_id !== '' && cell.model.id === cell_id) || seen(cell).ref === ref)) ?? null;
}

/** Show for a moment which one is meant. */
function point(node: HTMLElement): void {
  node.classList.remove(FOUND);
  node.getBoundingClientRect(); // so that the animation begins anew
  node.classList.add(FOUND);
  node.addEventListener('animationend', () => node.classList.remove(FOUND), { once: true });
}
