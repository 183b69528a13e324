import type { Cell, CodeCell } from '@jupyterlab/cells';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';

import { OPEN } from './cards';
import type { IChanges, IOrigin, IRecipe, IVersionItem } from './contract';
import { AskedOnce } from './notebook/asked';
import { dependedOn, isAsRecorded, producedBy, seen } from './notebook/cells';
import { isAbout } from './panel/parts';
import type { RegistryService } from './service';
import { label } from './words';

const BADGE = 'jp-nbreg-Badge';
const MARK = 'jp-nbreg-Mark';

/**
 * Says on each cell that made a version which one that is, where it stands now and whether it was edited since,
 * and marks the cells that the last of these versions depends on.
 */
export class Badges implements IDisposable {
  constructor(
    private readonly _tracker: INotebookTracker,
    service: RegistryService,
    private readonly _trans: TranslationBundle
  ) {
    const draw = (): void => this._draw();
    this._items = new AskedOnce(async ref => (await service.ask('version', { ref })).item, draw);
    this._origins = new AskedOnce(ref => service.ask('version/origin', { ref }), draw);
    this._recipes = new AskedOnce(ref => service.ask('version/recipe', { ref }), draw);
    _tracker.widgetAdded.connect(this._watch, this);
    _tracker.currentChanged.connect(this._draw, this);
    service.changed.connect(this._changed, this);
    service.registryChanged.connect(this._forget, this);
    _tracker.forEach(panel => this._watch(_tracker, panel));
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Whether any cell has one, so that changes are of interest. */
  get areShown(): boolean {
    return this._items.isUsed;
  }

  dispose(): void {
    this._isDisposed = true;
    Signal.clearData(this);
    document.querySelectorAll(`.${BADGE}, .${MARK}`).forEach(each => each.remove());
  }

  private _watch(_: unknown, panel: NotebookPanel): void {
    void panel.revealed.then(() => {
      if (!this._isDisposed && !panel.isDisposed) {
        panel.content.modelContentChanged.connect(this._draw, this);
        this._draw();
      }
    });
  }

  private _changed(_: unknown, changes: IChanges): void {
    // What a version was made by never changes.
    this._items.refresh(ref => isAbout(changes, ref.slice(0, ref.indexOf('@'))));
    this._draw();
  }

  private _forget(): void {
    for (const each of [this._items, this._origins, this._recipes]) {
      each.clear();
    }
    this._draw();
  }

  /** Soon, and once for however many changes: a cell that prints changes its content all the time. */
  private _draw(): void {
    if (this._isDue || this._isDisposed) {
      return;
    }
    this._isDue = true;
    setTimeout(() => {
      this._isDue = false;
      if (!this._isDisposed) {
        this._drawAll(this._tracker.currentWidget?.content.widgets ?? []);
      }
    }, 200);
  }

  private _drawAll(cells: ReadonlyArray<Cell>): void {
    const made = cells.map(cell => {
      const ref = producedBy(cell);
      return { cell, ref, item: ref ? this._items.get(ref) : undefined };
    });
    const last = newest(made.flatMap(each => (each.item ? [each.item] : [])));
    const depended = this._dependedOn(cells, last);
    const edited = depended.filter((each, i) => each === 'edited' && !isOf(made[i].item, last)).length;
    made.forEach(({ cell, ref, item }, i) => {
      const isLast = isOf(item, last);
      this._put(cell, BADGE, ref, item ? this._text(item, ref, cell as CodeCell, isLast ? edited : 0) : null);
      const mark = depended[i] && last && !isLast ? this._marked(last, depended[i] === 'edited') : null;
      this._put(cell, MARK, last ? byNumber(last) : '', mark)?.classList.toggle('jp-nbreg-mod-edited', depended[i] === 'edited');
    });
  }

  /** Of each cell whether that version depends on it, as far as its recipe is known. */
  private _dependedOn(cells: ReadonlyArray<Cell>, item: IVersionItem | null): ReadonlyArray<'same' | 'edited' | null> {
    const recipe = item ? this._recipes.get(byNumber(item)) : null;
    return recipe ? dependedOn(cells.map(seen), recipe.cells) : cells.map(() => null);
  }

  /** Show that text on a cell as a button that leads to the version; nothing where there is none. */
  private _put(cell: Cell, kind: string, ref: string, text: string | null): HTMLElement | null {
    const shown = cell.node.querySelector<HTMLElement>(`:scope > .${kind}`);
    if (text === null) {
      shown?.remove();
      return null;
    }
    const button = shown ?? this._made(cell, kind);
    button.dataset['ref'] = ref;
    if (button.dataset['text'] !== text) {
      button.dataset['text'] = text;
      if (kind === MARK) {
        button.title = text;
        button.setAttribute('aria-label', text);
      } else {
        button.textContent = text;
      }
    }
    return button;
  }

  private _made(cell: Cell, kind: string): HTMLElement {
    const button = document.createElement('button');
    button.className = kind;
    button.title = this._trans.__('Show this version in the sidebar');
    button.addEventListener('click', () => button.dispatchEvent(new CustomEvent(OPEN, { bubbles: true, detail: button.dataset['ref'] })));
    cell.node.append(button);
    return button;
  }

  private _text(item: IVersionItem, ref: string, cell: CodeCell, edited: number): string {
    const { version, aliases, model } = item;
    const state = version.deleted ? this._trans.__('deleted') : version.stage === 'none' ? '' : version.stage;
    const own = this._isEdited(ref, cell) ? this._trans.__('edited since') : '';
    const others = edited ? this._trans._n('%1 cell before it edited since', '%1 cells before it edited since', edited) : '';
    return [`${model} ${label(version)}`, state, ...aliases, own, others].filter(Boolean).join(' · ');
  }

  private _marked(item: IVersionItem, isEdited: boolean): string {
    const name = `${item.model} ${label(item.version)}`;
    return isEdited ? this._trans.__('Edited since %1 was made of it', name) : this._trans.__('%1 was made of it', name);
  }

  /** Whether the cell is another one than the version has; without a record of it, whether it was edited in this page. */
  private _isEdited(ref: string, cell: CodeCell): boolean {
    const origin = this._origins.get(ref);
    return origin && origin.cell_id === cell.model.id ? !isAsRecorded(cell.model.sharedModel.getSource(), origin.source) : cell.model.isDirty;
  }

  private readonly _items: AskedOnce<IVersionItem>;
  private readonly _origins: AskedOnce<IOrigin>;
  private readonly _recipes: AskedOnce<IRecipe>;
  private _isDue = false;
  private _isDisposed = false;
}

function byNumber(item: IVersionItem): string {
  return `${item.model}@${item.version.number}`;
}

function isOf(item: IVersionItem | null | undefined, last: IVersionItem | null): boolean {
  return Boolean(item && last && byNumber(item) === byNumber(last));
}

/** The version that was registered last of these. */
function newest(items: ReadonlyArray<IVersionItem>): IVersionItem | null {
  return items.reduce<IVersionItem | null>((last, each) => (last && last.version.created >= each.version.created ? last : each), null);
}
