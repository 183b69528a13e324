import type { ICommandPalette } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

/** Put commands into the palette, under words that are found by the package's name, too. */
export function addToPalette(palette: ICommandPalette | null, commands: { readonly [name: string]: string }, trans: TranslationBundle): void {
  for (const command of Object.values(commands)) {
    palette?.addItem({ command, category: trans.__('Models (nbreg)') });
  }
}
