import type { Cell, CodeCell } from '@jupyterlab/cells';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';

import { OPEN, referenceOf, VERSION_MIME } from './cards';
import type { IChanges, IVersionItem } from './contract';
import { isAbout } from './panel/parts';
import type { RegistryService } from './service';
import { label } from './words';

const BADGE = 'jp-nbreg-Badge';

/** Says on each cell that made a version which one that is and where it stands now. */
export class Badges implements IDisposable {
  constructor(
    private readonly _tracker: INotebookTracker,
    private readonly _service: RegistryService,
    private readonly _trans: TranslationBundle
  ) {
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
    return this._known.size > 0;
  }

  dispose(): void {
    this._isDisposed = true;
    Signal.clearData(this);
    document.querySelectorAll(`.${BADGE}`).forEach(each => each.remove());
  }

  private _watch(_: unknown, panel: NotebookPanel): void {
    void panel.revealed.then(() => {
      panel.content.modelContentChanged.connect(this._draw, this);
      this._draw();
    });
  }

  private _changed(_: unknown, changes: IChanges): void {
    for (const ref of this._known.keys()) {
      if (isAbout(changes, ref.slice(0, ref.indexOf('@')))) {
        this._known.delete(ref);
      }
    }
    this._draw();
  }

  private _forget(): void {
    this._known.clear();
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
        this._tracker.currentWidget?.content.widgets.forEach(cell => this._drawOn(cell));
      }
    }, 200);
  }

  private _drawOn(cell: Cell): void {
    const ref = cell.model.type === 'code' ? producedBy(cell as CodeCell) : '';
    const shown = cell.node.querySelector<HTMLElement>(`:scope > .${BADGE}`);
    if (!ref) {
      shown?.remove();
      return;
    }
    const text = this._text(ref, cell as CodeCell);
    if (text === null) {
      shown?.remove();
    } else {
      const badge = shown ?? this._made(cell);
      badge.dataset['ref'] = ref;
      if (badge.textContent !== text) {
        badge.textContent = text;
      }
    }
  }

  private _made(cell: Cell): HTMLElement {
    const badge = document.createElement('button');
    badge.className = BADGE;
    badge.title = this._trans.__('Show this version in the sidebar');
    badge.addEventListener('click', () => badge.dispatchEvent(new CustomEvent(OPEN, { bubbles: true, detail: badge.dataset['ref'] })));
    cell.node.append(badge);
    return badge;
  }

  /** What is known of the version now; null while that is asked, and where this registry has it not. */
  private _text(ref: string, cell: CodeCell): string | null {
    const known = this._known.get(ref);
    if (known === undefined) {
      this._known.set(ref, null);
      this._service.ask('version', { ref }).then(
        ({ item }) => {
          this._known.set(ref, item);
          this._draw();
        },
        () => undefined
      );
    }
    if (!known) {
      return null;
    }
    const { version, aliases, model } = known;
    const state = version.deleted ? this._trans.__('deleted') : version.stage === 'none' ? '' : version.stage;
    const edited = cell.model.isDirty ? this._trans.__('edited since') : '';
    return [`${model} ${label(version)}`, state, ...aliases, edited].filter(Boolean).join(' · ');
  }

  private readonly _known = new Map<string, IVersionItem | null>();
  private _isDue = false;
  private _isDisposed = false;
}

/** The version that a cell's last run made or showed as its result. */
function producedBy(cell: CodeCell): string {
  const { outputs } = cell.model;
  for (let i = outputs.length - 1; i >= 0; i--) {
    const output = outputs.get(i);
    const json = output.type === 'execute_result' || output.type === 'display_data' ? output.data[VERSION_MIME] : undefined;
    if (json && typeof json === 'object') {
      return referenceOf(json as { model?: unknown; number?: unknown });
    }
  }
  return '';
}
