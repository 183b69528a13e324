import type { Cell, CodeCell } from '@jupyterlab/cells';

import { DETAIL_MIME, producedOf, VERSION_MIME, type IProduced } from '../cards';
import type { IOrigin, IVersionItem } from '../contract';
import { byNumber } from '../words';

/** What stands in recorded text where a secret stood. */
const REDACTED = /‹redacted: [^›\n]*›/;

/** As much of a cell as is recorded. */
const MOST_RECORDED = 256 * 1024;

/** More text than this is not told, only which cells there are and in which order. */
const MOST_TOLD = 1024 * 1024;

/** A cell as far as it can be recognised. */
export interface ISeen {
  id: string;
  source: string;
  /** The version that its output is about. */
  produced: IProduced | null;
}

/** What can be seen of a cell. */
export function seen(cell: Cell): ISeen {
  return { id: cell.model.id, source: cell.model.sharedModel.getSource(), produced: producedBy(cell) };
}

/** The version that a cell's last run made or showed as its result. */
export function producedBy(cell: Cell): IProduced | null {
  if (cell.model.type !== 'code') {
    return null;
  }
  const { outputs } = (cell as CodeCell).model;
  for (let i = outputs.length - 1; i >= 0; i--) {
    const output = outputs.get(i);
    const json = output.type === 'execute_result' || output.type === 'display_data' ? (output.data[VERSION_MIME] ?? output.data[DETAIL_MIME]) : undefined;
    if (json && typeof json === 'object') {
      return producedOf(json as { model?: unknown; number?: unknown }, output.metadata);
    }
  }
  return null;
}

/** Whether an output shows that version, and not another registry's that has its number. */
export function isOf(produced: IProduced | null, item: IVersionItem): boolean {
  if (produced?.ref !== byNumber(item)) {
    return false;
  }
  const { id, type, bump_reason } = item.version;
  return produced.id === '' ? produced.type === type && produced.bump_reason === bump_reason : produced.id === id;
}

/** Whether a cell's text is what was recorded when it ran: secrets are recorded as such, long cells in part. */
export function isAsRecorded(source: string, recorded: string): boolean {
  const now = source.trimEnd();
  const then = recorded.trimEnd();
  if (now === then) {
    return true;
  }
  if (recorded.length >= MOST_RECORDED) {
    return source.startsWith(recorded);
  }
  const pieces = then.split(REDACTED);
  return pieces.length > 1 && isInOrder(now, pieces);
}

/** Whether a text begins with the first piece, ends with the last, and has the others between, in order. */
function isInOrder(text: string, pieces: ReadonlyArray<string>): boolean {
  const [first, last] = [pieces[0], pieces[pieces.length - 1]];
  if (!text.startsWith(first)) {
    return false;
  }
  let at = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, at);
    if (found < 0) {
      return false;
    }
    at = found + piece.length;
  }
  return text.endsWith(last) && text.length - last.length >= at;
}

/** Where the cell is that made a version: by its id, else by what it shows, else by its text; -1 where it is gone. */
export function findMaker(cells: ReadonlyArray<ISeen>, origin: Pick<IOrigin, 'cell_id' | 'source'>, item: IVersionItem): number {
  const tries: Array<(cell: ISeen) => boolean> = [
    cell => origin.cell_id !== '' && cell.id === origin.cell_id,
    cell => isOf(cell.produced, item),
    cell => origin.source.trim() !== '' && isAsRecorded(cell.source, origin.source)
  ];
  for (const isIt of tries) {
    const at = cells.findIndex(isIt);
    if (at >= 0) {
      return at;
    }
  }
  return -1;
}

/** An execution of a recipe, as far as cells are concerned. */
export interface IRecorded {
  cell_id: string;
  source: string;
}

/**
 * Of each cell whether a recipe depends on it, and whether it is still as it was: `null` where it does not depend.
 * A cell that ran several times is as it was if it is as it ran last.
 */
export function dependedOn(cells: ReadonlyArray<ISeen>, recorded: ReadonlyArray<IRecorded>): Array<'same' | 'edited' | null> {
  const byId = new Map(recorded.filter(each => each.cell_id !== '').map(each => [each.cell_id, each.source]));
  const nameless = recorded.filter(each => each.cell_id === '').map(each => each.source);
  return cells.map(cell => {
    const then = byId.get(cell.id);
    if (then !== undefined) {
      return isAsRecorded(cell.source, then) ? 'same' : 'edited';
    }
    return cell.source.trim() !== '' && nameless.some(each => isAsRecorded(cell.source, each)) ? 'same' : null;
  });
}

/** The code cells from the top: ids, and texts where they are not too long in all. */
export function documentOf(cells: ReadonlyArray<Pick<Cell, 'model'>>): Array<[string, string | null]> {
  const told = cells.filter(each => each.model.type === 'code').map((each): [string, string] => [each.model.id, each.model.sharedModel.getSource()]);
  const length = told.reduce((sum, [, source]) => sum + source.length, 0);
  return length <= MOST_TOLD ? told : told.map(([id]) => [id, null]);
}
