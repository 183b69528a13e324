import { historyIcon, refreshIcon } from '@jupyterlab/ui-components';
import React, { useEffect, useState } from 'react';

import { useTrans } from '../translation';
import { toFirstLine } from './lines';
import { useSurroundings } from './parts';

/** The lists that everything is reached from. */
export type List = 'models' | 'runs' | 'data' | 'drafts' | 'registry';

/** Which registry is shown, what happened in it, and a look for changes. */
export function Head({ onEvents, onRefresh }: { onEvents: () => void; onRefresh: () => void }): JSX.Element {
  const { service, trans } = useSurroundings();
  const { registry, registries } = service;
  return (
    <div className="jp-nbreg-Head">
      {registries.length > 1 ? (
        <select className="jp-mod-styled" aria-label={trans.__('Registry')} title={registry?.location} value={registry?.key} onChange={event => void service.choose(event.target.value)}>
          {registries.map(each => (
            <option key={each.key} value={each.key}>
              {each.title}
              {each.writable ? '' : ` (${trans.__('read only')})`}
            </option>
          ))}
        </select>
      ) : (
        <span className="jp-nbreg-Name" title={registry?.location}>
          {registry?.title ?? trans.__('no registry')}
        </span>
      )}
      <span className="jp-nbreg-Beside">
        <button className="jp-nbreg-Tool" title={trans.__('What happened')} aria-label={trans.__('What happened')} onClick={onEvents}>
          <historyIcon.react tag="span" width="16px" height="16px" />
        </button>
        <button className="jp-nbreg-Tool" title={trans.__('Look for changes')} aria-label={trans.__('Look for changes')} onClick={onRefresh}>
          <refreshIcon.react tag="span" width="16px" height="16px" />
        </button>
      </span>
    </div>
  );
}

/** Back to where somebody came from, and to the list that all began with where that is further. */
export function WayBack({ list, onBack, onHome }: { list: List; onBack: () => void; onHome?: () => void }): JSX.Element {
  const trans = useTrans();
  const homes: { [list in List]: string } = {
    models: trans.__('All models'),
    runs: trans.__('All runs'),
    data: trans.__('All data'),
    drafts: trans.__('All drafts'),
    registry: trans.__('The registry')
  };
  return (
    <nav className="jp-nbreg-Way" aria-label={trans.__('Where this is')}>
      <button className="jp-nbreg-Link" onClick={onBack}>
        ← {trans.__('Back')}
      </button>
      {onHome && (
        <button className="jp-nbreg-Link" onClick={onHome}>
          {homes[list]}
        </button>
      )}
    </nav>
  );
}

/** The lists, one of which is shown. */
export function NamesOfLists({ list, onChoose }: { list: List; onChoose: (list: List) => void }): JSX.Element {
  const { service, trans } = useSurroundings();
  const names: { [list in List]: string } = {
    models: trans.__('Models'),
    runs: trans.__('Runs'),
    data: trans.__('Data'),
    drafts: trans.__('Drafts'),
    registry: trans.__('Registry')
  };
  // Drafts are whatever anybody trained, of any model: the server tells them to administrators alone.
  const offered = (Object.keys(names) as List[]).filter(each => each !== 'drafts' || service.hello?.admin);
  return (
    <nav className="jp-nbreg-Lists" aria-label={trans.__('Parts of the registry')}>
      {offered.map(each => (
        <button key={each} aria-current={each === list ? 'page' : undefined} onClick={() => onChoose(each)}>
          {names[each]}
        </button>
      ))}
    </nav>
  );
}

interface ISearch {
  of: 'models' | 'runs';
  box?: React.Ref<HTMLInputElement>;
  text: string;
  onText: (text: string) => void;
}

/** A box that takes a part of a name, or a query. */
export function Search({ of, box, text, onText }: ISearch): JSX.Element {
  const trans = useTrans();
  const [label, example, help] = {
    models: [
      trans.__('Search models and versions'),
      trans.__('churn, or metrics.auc > 0.9'),
      trans.__('A part of a name; or a query: metrics.auc > 0.9 and stage == "staging", "eu" in tags')
    ],
    runs: [
      trans.__('Search runs'),
      trans.__('logreg, or metrics.loss < 0.3'),
      trans.__('A part of a name; or a query: metrics.loss < 0.3 and params.C == 1, state == "failed"')
    ]
  }[of];
  return (
    <div className="jp-nbreg-Search">
      <input ref={box} type="search" className="jp-mod-styled" value={text} aria-label={label} placeholder={example} title={help} onChange={event => onText(event.target.value)} onKeyDown={toFirstLine} />
    </div>
  );
}

/** A text as it is once it has not changed for a while. */
export function useSettled(text: string, milliseconds: number): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), milliseconds);
    return () => clearTimeout(timer);
  }, [text, milliseconds]);
  return settled;
}
