import React, { createContext, useContext } from 'react';

import type { IModelDetail } from '../contract';
import { useAnswer, useSurroundings, type IAsked } from './parts';

const Page = createContext<IAsked<IModelDetail> | null>(null);

/** A page about a model, or about something of it: what the server says of the model, all of the page knows. */
export function OfModel({ model, children }: { model: string; children: React.ReactNode }): JSX.Element {
  return <Page.Provider value={useAnswer('model', { model }, model)}>{children}</Page.Provider>;
}

/** Something of one model on a page about all of them; an administrator may do all, so that nothing is asked. */
function OfOne({ model, children }: { model: string; children: React.ReactNode }): JSX.Element {
  const { service } = useSurroundings();
  return service.hello?.admin ? <>{children}</> : <OfModel model={model}>{children}</OfModel>;
}

/** Things of several models on a page about all of them, those of one model together, as what may be done with it allows. */
export function OfEach<T extends { model: string }>({ items, children }: { items: ReadonlyArray<T>; children: (item: T) => React.ReactNode }): JSX.Element {
  return (
    <>
      {[...new Set(items.map(each => each.model))].map(one => (
        <OfOne key={one} model={one}>
          {items.filter(each => each.model === one).map(children)}
        </OfOne>
      ))}
    </>
  );
}

/** The model that this page is about. */
export function useModel(): IAsked<IModelDetail> {
  return useContext(Page) ?? { answer: null, failure: null, again: () => undefined };
}

/** What whoever looks may do here. What is not theirs is not offered: the server would refuse it. */
export interface IMay {
  /** Ask for a promotion, and take that back. */
  look: boolean;
  /** Move, tag, link, delete. */
  change: boolean;
  /** Say who may do what, what is required, and which aliases are protected. */
  own: boolean;
}

/** What may be done with the model of this page, and nothing until that is known; outside of one, with all of them. */
export function useMay(): IMay {
  const { service } = useSurroundings();
  const page = useContext(Page);
  const may = page ? page.answer?.may : service.hello?.admin ? 'own' : 'look';
  const isWritable = service.registry?.writable ?? false;
  return { look: isWritable && may !== undefined, change: isWritable && (may === 'change' || may === 'own'), own: isWritable && may === 'own' };
}

/** Why something is not offered on this page, and who could do it; nothing where all of it is. */
export function Limits(): JSX.Element | null {
  const { service, trans } = useSurroundings();
  const { answer } = useModel();
  if (!service.registry?.writable) {
    return <p className="jp-nbreg-quiet">{trans.__('Nothing can be changed here: %1', service.registry?.why ?? '')}</p>;
  }
  if (!answer || answer.may === 'own') {
    return null;
  }
  const owners = answer.about.owners.join(', ') || trans.__('whoever made it');
  return (
    <p className="jp-nbreg-quiet">
      {answer.may === 'change'
        ? trans.__('Who may do what with it, and what is required, its owners say: %1.', owners)
        : trans.__('You may look at it, and ask for a promotion. Its owners: %1.', owners)}
    </p>
  );
}
