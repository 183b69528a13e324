import type { Cell, CodeCell } from '@jupyterlab/cells';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';

import { ask, type IProduced, type IWanted } from './cards';
import type { IChanges, IOrigin, IRecipe, IVersionItem } from './contract';
import { AskedOnce } from './notebook/asked';
import { dependedOn, isAsRecorded, isOf, producedBy, seen } from './notebook/cells';
import { isAbout } from './panel/parts';
import type { RegistryService } from './service';
import { byNumber, label, modelOf } from './words';

const BADGE = 'jp-nbreg-Badge';
const MARK = 'jp-nbreg-Mark';

/** A cell, and what is known of the version that it made. */
interface IMade {
  cell: Cell;
  produced: IProduced | null;
  /** That version as it is now; null where the registry that is asked does not have it, or nobody knows yet. */
  item: IVersionItem | null;
}

/** A button on a cell. */
interface IButton {
  wanted: IWanted;
  /** The version as people call it. */
  said: string;
  text: string;
}

/**
 * Says on each cell that made a version which one that is, where it stands now and whether it was edited since,
 * and marks the cells that the last of these versions depends on.
 *
 * Of a version that the registry of the sidebar does not have, nothing is said but that it is in another one.
 */
export class Badges implements IDisposable {
  constructor(
    private readonly _tracker: INotebookTracker,
    private readonly _service: RegistryService,
    private readonly _trans: TranslationBundle
  ) {
    const draw = (): void => this._draw();
    this._items = new AskedOnce(async ref => (await _service.ask('version', { ref })).item, draw);
    this._origins = new AskedOnce(ref => _service.ask('version/origin', { ref }), draw);
    this._recipes = new AskedOnce(ref => _service.ask('version/recipe', { ref }), draw);
    _tracker.widgetAdded.connect(this._watch, this);
    _tracker.currentChanged.connect(this._draw, this);
    _service.changed.connect(this._changed, this);
    _service.registryChanged.connect(this._forget, this);
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
    for (const each of [this._items, this._origins, this._recipes]) {
      each.dispose();
    }
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
    this._items.refresh(ref => isAbout(changes, modelOf(ref)));
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
    const made = cells.map(cell => this._made(cell));
    const last = newest(made.flatMap(each => each.item ?? []));
    const depended = this._dependedOn(cells, last);
    const edited = depended.filter((each, i) => each === 'edited' && !isSame(made[i].item, last)).length;
    made.forEach((each, i) => {
      const isLast = isSame(each.item, last);
      put(each.cell, BADGE, this._badge(each, isLast ? edited : 0), this._trans);
      const mark = last && !isLast && depended[i] ? this._mark(last, depended[i] === 'edited') : null;
      put(each.cell, MARK, mark, this._trans)?.classList.toggle('jp-nbreg-mod-edited', depended[i] === 'edited');
    });
  }

  private _made(cell: Cell): IMade {
    const produced = producedBy(cell);
    const found = produced && this._items.get(produced.ref);
    return { cell, produced, item: found && isOf(produced, found) ? found : null };
  }

  /** Of each cell whether that version depends on it, as far as its recipe is known. */
  private _dependedOn(cells: ReadonlyArray<Cell>, item: IVersionItem | null): ReadonlyArray<'same' | 'edited' | null> {
    const recipe = item ? this._recipes.get(byNumber(item)) : null;
    return recipe ? dependedOn(cells.map(seen), recipe.cells) : cells.map(() => null);
  }

  private _badge({ cell, produced, item }: IMade, edited: number): IButton | null {
    if (produced && item) {
      return { wanted: produced, said: item.ref, text: this._text(item, produced.ref, cell as CodeCell, edited) };
    }
    return produced && this._isElsewhere(produced)
      ? { wanted: produced, said: produced.title, text: `${produced.title} · ${this._trans.__('in another registry')}` }
      : null;
  }

  /** Whether it is known to be in another registry than the one that is asked. */
  private _isElsewhere({ ref, registry }: IProduced): boolean {
    return this._service.isAnother(registry) && this._items.get(ref) !== undefined;
  }

  private _mark(item: IVersionItem, isEdited: boolean): IButton {
    const name = `${item.model} ${label(item.version)}`;
    const text = isEdited ? this._trans.__('Edited since %1 was made of it', name) : this._trans.__('%1 was made of it', name);
    return { wanted: { ref: byNumber(item), registry: '' }, said: item.ref, text };
  }

  private _text(item: IVersionItem, ref: string, cell: CodeCell, edited: number): string {
    const { version, aliases, model } = item;
    const state = version.deleted ? this._trans.__('deleted') : version.stage === 'none' ? '' : version.stage;
    const own = this._isEdited(ref, cell) ? this._trans.__('edited since') : '';
    const others = edited ? this._trans._n('%1 cell before it edited since', '%1 cells before it edited since', edited) : '';
    return [`${model} ${label(version)}`, state, ...aliases, own, others].filter(Boolean).join(' · ');
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

/** Show a button on a cell that leads to a version; nothing where there is none. */
function put(cell: Cell, kind: string, button: IButton | null, trans: TranslationBundle): HTMLElement | null {
  const shown = cell.node.querySelector<HTMLElement>(`:scope > .${kind}`);
  if (button === null) {
    shown?.remove();
    return null;
  }
  const { wanted, said, text } = button;
  const node = shown ?? made(cell, kind, trans);
  Object.assign(node.dataset, { nbregRef: wanted.ref, nbregRegistry: wanted.registry, nbregSaid: said });
  if (node.dataset['text'] !== text) {
    node.dataset['text'] = text;
    if (kind === MARK) {
      node.title = text;
      node.setAttribute('aria-label', text);
    } else {
      node.textContent = text;
    }
  }
  return node;
}

function made(cell: Cell, kind: string, trans: TranslationBundle): HTMLElement {
  const node = document.createElement('button');
  node.className = kind;
  node.title = trans.__('Show this version in the sidebar');
  node.addEventListener('click', () => ask(node, wantedOf(node)));
  cell.node.append(node);
  return node;
}

/** The version that an element of the page is about. */
export function wantedOf({ dataset }: HTMLElement): IWanted {
  return { ref: dataset['nbregRef'] ?? '', registry: dataset['nbregRegistry'] ?? '' };
}

function isSame(item: IVersionItem | null, last: IVersionItem | null): boolean {
  return item !== null && last !== null && byNumber(item) === byNumber(last);
}

/** The version that was registered last of these. */
function newest(items: ReadonlyArray<IVersionItem>): IVersionItem | null {
  return items.reduce<IVersionItem | null>((last, each) => (last && last.version.created >= each.version.created ? last : each), null);
}
