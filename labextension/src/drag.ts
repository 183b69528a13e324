import { MimeData } from '@lumino/coreutils';
import { Drag } from '@lumino/dragdrop';

/** Cells, for a notebook. */
const CELLS = 'application/vnd.jupyter.cells';

/** What lies under the pointer takes part in these; a leave is told to what lay there before. */
const MOVES = ['lm-dragenter', 'lm-dragover', 'lm-drop', 'lm-dragleave'] as const;

/** How far a pointer that is down moves until it drags. */
const SLACK = 5;

/**
 * Begin to drag a version if the pointer, which went down on it, moves on.
 *
 * Between the cells of a notebook it becomes a cell with `code`; in an editor it becomes the reference.
 */
export function dragVersion(ref: string, code: string, down: PointerEvent): void {
  if (down.pointerType === 'touch') {
    return; // a finger scrolls
  }
  const stop = new AbortController();
  const options = { signal: stop.signal, capture: true };
  for (const end of ['pointerup', 'pointercancel']) {
    document.addEventListener(end, () => stop.abort(), options);
  }
  document.addEventListener(
    'pointermove',
    move => {
      if (Math.hypot(move.clientX - down.clientX, move.clientY - down.clientY) < SLACK) {
        return;
      }
      stop.abort();
      move.preventDefault();
      void start(ref, code, move);
    },
    options
  );
}

/** A version as cells and as text; over an editor as text alone, since a notebook takes cells before its editors see them. */
class VersionData extends MimeData {
  isOverEditor = false;

  hasData(mime: string): boolean {
    return super.hasData(mime) && !(this.isOverEditor && mime === CELLS);
  }
}

async function start(ref: string, code: string, at: PointerEvent): Promise<void> {
  const mimeData = new VersionData();
  mimeData.setData(CELLS, [{ cell_type: 'code', source: code, metadata: {}, execution_count: null, outputs: [] }]);
  mimeData.setData('text/plain', ref);
  const dragImage = document.createElement('div');
  dragImage.className = 'jp-nbreg-Dragged';
  dragImage.textContent = ref;
  const ended = new AbortController();
  for (const move of MOVES) {
    const look = (event: Event): void => {
      mimeData.isOverEditor = move !== 'lm-dragleave' && (event.target as Element).closest('.jp-Editor') !== null;
    };
    document.addEventListener(move, look, { capture: true, signal: ended.signal });
  }
  const drag = new Drag({ mimeData, dragImage, supportedActions: 'copy', proposedAction: 'copy' });
  await drag.start(at.clientX, at.clientY);
  ended.abort();
}
