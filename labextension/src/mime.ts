import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { Widget } from '@lumino/widgets';

import { DIFF_MIME, diffCard, VERSION_MIME, versionCard } from './cards';

import '../style/index.css';
import '../style/views.css';

type Draw = (json: { [name: string]: unknown }, plain: string, metadata: { readonly [mime: string]: unknown }) => HTMLElement;

/** Draws a record of nbreg that a notebook holds. */
class RecordRenderer extends Widget implements IRenderMime.IRenderer {
  constructor(
    private readonly _mimeType: string,
    private readonly _draw: Draw
  ) {
    super();
    this.addClass('jp-nbreg-Record');
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const json = model.data[this._mimeType];
    const plain = model.data['text/plain'];
    const isObject = typeof json === 'object' && json !== null && !Array.isArray(json);
    const text = Array.isArray(plain) ? plain.join('') : typeof plain === 'string' ? plain : '';
    this.node.replaceChildren(this._draw(isObject ? (json as { [name: string]: unknown }) : {}, text, model.metadata));
  }
}

function factory(mimeType: string, draw: Draw): IRenderMime.IRendererFactory {
  return {
    // All is set as text, so an output of a notebook that nobody trusts yet is drawn like any other.
    safe: true,
    mimeTypes: [mimeType],
    createRenderer: () => new RecordRenderer(mimeType, draw)
  };
}

const extensions: IRenderMime.IExtension[] = [
  { id: 'nbreg:version', description: 'Draws versions of models.', rendererFactory: factory(VERSION_MIME, versionCard), rank: 40, dataType: 'json' },
  { id: 'nbreg:diff', description: 'Draws differences of models.', rendererFactory: factory(DIFF_MIME, diffCard), rank: 40, dataType: 'json' }
];

export default extensions;
