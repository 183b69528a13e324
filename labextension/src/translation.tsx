import { nullTranslator, type TranslationBundle } from '@jupyterlab/translation';
import { createContext, useContext } from 'react';

/** The language of the page, for whatever is drawn in it. */
export const Translation = createContext<TranslationBundle>(nullTranslator.load('nbreg'));

export const useTrans = (): TranslationBundle => useContext(Translation);
