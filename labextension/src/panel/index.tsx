import { historyIcon, refreshIcon, ReactWidget } from '@jupyterlab/ui-components';
import { Signal, type ISignal } from '@lumino/signaling';
import type { Message } from '@lumino/messaging';
import React, { useCallback, useEffect, useReducer, useRef, useState } from 'react';

import { nbregIcon } from '../icon';
import { Refusal } from '../service';
import { Dataset, Datasets } from './datasets';
import { Diff } from './diff';
import { Drafts } from './drafts';
import { AllEvents } from './events';
import { Model } from './model';
import { Models } from './models';
import { Failure, Surroundings, useSurroundings, type ISurroundings } from './parts';
import { DEFAULTS, Preferences, type IPreferences } from './preferences';
import { Run, Runs } from './runs';
import { Upkeep } from './upkeep';
import { Version } from './version';
import { Way, type Place } from './way';

import '../../style/places.css';

/** The lists that everything is reached from. */
type List = 'models' | 'runs' | 'data' | 'drafts' | 'registry';

function Panel({ widget }: { widget: RegistryPanel }): JSX.Element {
  const { service, trans } = useSurroundings();
  const [failure, setFailure] = useState<Refusal | null>(null);
  const [lost, setLost] = useState<Refusal | null>(null);
  const [isReady, setReady] = useState(false);
  const [, redraw] = useReducer((old: number) => old + 1, 0);
  const [places, setPlaces] = useState<ReadonlyArray<Place>>(() => (widget.wanted ? [{ kind: 'version', ref: widget.wanted }] : []));
  const [isOpen, setOpen] = useState<ReadonlySet<string>>(new Set());
  const [list, setList] = useState<List>('models');
  const [text, setText] = useState('');
  const asked = useSettled(text, 250);
  const [runText, setRunText] = useState('');
  const askedOfRuns = useSettled(runText, 250);
  const connect = useCallback(() => {
    setFailure(null);
    service
      .connect()
      .then(() => service.near(widget.near))
      .then(() => setReady(true))
      .catch(error => setFailure(Refusal.of(error)));
  }, [service, widget]);
  useEffect(connect, [connect]);
  useEffect(() => {
    let known = service.registry?.key;
    const other = (): void => {
      if (known !== undefined && service.registry?.key !== known) {
        setPlaces([]); // what was looked at is of another registry
      }
      known = service.registry?.key;
      redraw();
    };
    const show = (_: unknown, ref: string): void => {
      setPlaces(ref ? [{ kind: 'version', ref }] : []);
      if (!ref) {
        setList('models');
      }
    };
    service.registryChanged.connect(other);
    widget.asked.connect(show);
    return () => {
      service.registryChanged.disconnect(other);
      widget.asked.disconnect(show);
    };
  }, [service, widget]);
  // Of a search that was asked for before there was a box.
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (box.current && widget.isSearchWanted) {
      widget.isSearchWanted = false;
      box.current.focus();
      box.current.select();
    }
  });
  const key = service.registry?.key;
  const refresh = (): void => {
    service.refresh().then(
      () => setLost(null),
      error => setLost(Refusal.of(error))
    );
  };
  const go = useCallback((place: Place): void => setPlaces(old => [...old, place]), []);
  const toggle = (model: string): void =>
    setOpen(old => {
      const next = new Set(old);
      if (!next.delete(model)) {
        next.add(model);
      }
      return next;
    });
  if (failure) {
    return (
      <div className="jp-nbreg-Body">
        <Failure refusal={failure} onAgain={connect} />
      </div>
    );
  }
  if (!isReady) {
    return <p className="jp-nbreg-Body jp-nbreg-quiet">{trans.__('Reading…')}</p>;
  }
  const place = places[places.length - 1];
  const lists: { [list in List]: string } = {
    models: trans.__('Models'),
    runs: trans.__('Runs'),
    data: trans.__('Data'),
    drafts: trans.__('Drafts'),
    registry: trans.__('Registry')
  };
  const homes: typeof lists = {
    models: trans.__('All models'),
    runs: trans.__('All runs'),
    data: trans.__('All data'),
    drafts: trans.__('All drafts'),
    registry: trans.__('The registry')
  };
  return (
    <>
      <Head onEvents={() => go({ kind: 'events' })} onRefresh={refresh} />
      {lost && <Failure refusal={lost} onAgain={refresh} />}
      {place ? (
        <nav className="jp-nbreg-Way" aria-label={trans.__('Where this is')}>
          <button className="jp-nbreg-Link" onClick={() => setPlaces(places.slice(0, -1))}>
            ← {trans.__('Back')}
          </button>
          {places.length > 1 && (
            <button className="jp-nbreg-Link" onClick={() => setPlaces([])}>
              {homes[list]}
            </button>
          )}
        </nav>
      ) : (
        <>
          <nav className="jp-nbreg-Lists" aria-label={trans.__('Parts of the registry')}>
            {(Object.keys(lists) as List[]).map(each => (
              <button key={each} aria-current={each === list ? 'page' : undefined} onClick={() => setList(each)}>
                {lists[each]}
              </button>
            ))}
          </nav>
          {list === 'models' && (
            <Search
              box={box}
              text={text}
              label={trans.__('Search models and versions')}
              placeholder={trans.__('churn, or metrics.auc > 0.9')}
              help={trans.__('A part of a name; or a query: metrics.auc > 0.9 and stage == "staging", "eu" in tags')}
              onText={setText}
            />
          )}
          {list === 'runs' && (
            <Search
              text={runText}
              label={trans.__('Search runs')}
              placeholder={trans.__('logreg, or metrics.loss < 0.3')}
              help={trans.__('A part of a name; or a query: metrics.loss < 0.3 and params.C == 1, state == "failed"')}
              onText={setRunText}
            />
          )}
        </>
      )}
      <div className="jp-nbreg-Body" key={key}>
        <Way.Provider value={go}>
          {place ? (
            <Shown place={place} onCompare={(a, b) => go({ kind: 'diff', a, b })} />
          ) : (
            <>
              {list === 'models' && <Models text={asked} isOpen={isOpen} onToggle={toggle} onShow={ref => go({ kind: 'version', ref })} />}
              {list === 'runs' && <Runs text={askedOfRuns} />}
              {list === 'data' && <Datasets />}
              {list === 'drafts' && <Drafts />}
              {list === 'registry' && <Upkeep />}
            </>
          )}
        </Way.Provider>
      </div>
    </>
  );
}

/** The place that is looked at. */
function Shown({ place, onCompare }: { place: Place; onCompare: (a: string, b: string) => void }): JSX.Element {
  switch (place.kind) {
    case 'version':
      return <Version key={place.ref} reference={place.ref} onCompare={onCompare} />;
    case 'diff':
      return <Diff a={place.a} b={place.b} />;
    case 'model':
      return <Model key={place.model} model={place.model} />;
    case 'run':
      return <Run key={place.run} run={place.run} />;
    case 'data':
      return <Dataset key={place.data} data={place.data} />;
    default:
      return <AllEvents />;
  }
}

interface ISearch {
  box?: React.Ref<HTMLInputElement>;
  text: string;
  label: string;
  placeholder: string;
  help: string;
  onText: (text: string) => void;
}

function Search({ box, text, label, placeholder, help, onText }: ISearch): JSX.Element {
  return (
    <div className="jp-nbreg-Search">
      <input ref={box} type="search" className="jp-mod-styled" value={text} aria-label={label} placeholder={placeholder} title={help} onChange={event => onText(event.target.value)} />
    </div>
  );
}

function Head({ onEvents, onRefresh }: { onEvents: () => void; onRefresh: () => void }): JSX.Element {
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

function useSettled(text: string, milliseconds: number): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), milliseconds);
    return () => clearTimeout(timer);
  }, [text, milliseconds]);
  return settled;
}

/** The sidebar: React draws it, Lumino owns it. */
export class RegistryPanel extends ReactWidget {
  constructor(private readonly _surroundings: ISurroundings) {
    super();
    const { trans } = _surroundings;
    this.id = 'nbreg-panel';
    this.addClass('jp-nbreg-Panel');
    this.title.icon = nbregIcon;
    this.title.caption = trans.__('Models');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Models of nbreg'));
  }

  /** The notebook or folder whose registry is shown. */
  near = '';

  /** The version that was asked for last, for a panel that was not drawn yet. */
  wanted = '';

  /** A version is asked for elsewhere: by a card, a badge, a command; or, with an empty name, the list. */
  get asked(): ISignal<this, string> {
    return this._asked;
  }

  /** How its lists are to be. */
  set preferences(wanted: IPreferences) {
    this._preferences = wanted;
    this.update();
  }

  /** Somebody wants to type into the box as soon as there is one. */
  isSearchWanted = false;

  /** Go to the list of models, and into its search. */
  search(): void {
    this.isSearchWanted = true;
    this.wanted = '';
    this._asked.emit('');
    this.update();
  }

  /** Show a version. */
  showVersion(ref: string): void {
    this.wanted = ref;
    this._asked.emit(ref);
  }

  render(): JSX.Element {
    return (
      <Surroundings.Provider value={this._surroundings}>
        <Preferences.Provider value={this._preferences}>
          <Panel widget={this} />
        </Preferences.Provider>
      </Surroundings.Provider>
    );
  }

  protected onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    void this._surroundings.service.refresh().catch(() => undefined);
  }

  private _preferences = DEFAULTS;
  private readonly _asked = new Signal<this, string>(this);
}
