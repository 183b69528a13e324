import { ReactWidget } from '@jupyterlab/ui-components';
import { Widget } from '@lumino/widgets';
import React from 'react';

/**
 * A form in front of the page: the browser's own dialog, which keeps the focus in, gives it back and closes on Escape.
 * JupyterLab's takes Enter for its default button wherever the focus is, and a form has buttons of its own.
 */
export class FormDialog extends ReactWidget {
  constructor(
    label: string,
    private readonly _form: (close: () => void) => JSX.Element
  ) {
    super();
    this.addClass('jp-nbreg-DialogHost');
    this._label = label;
  }

  /** Show it. */
  open(): void {
    Widget.attach(this, document.body);
  }

  dispose(): void {
    if (!this.isDisposed) {
      this.node.querySelector('dialog')?.close(); // which gives the focus back
      super.dispose();
    }
  }

  render(): JSX.Element {
    return (
      <dialog
        className="jp-nbreg-Dialog jp-ThemedContainer"
        aria-label={this._label}
        ref={node => {
          if (node && !node.open) {
            node.showModal();
          }
        }}
        onClose={() => this.dispose()}
        // The notebook behind it has keys of its own.
        onKeyDown={event => event.stopPropagation()}
      >
        {this._form(() => this.dispose())}
      </dialog>
    );
  }

  private readonly _label: string;
}
