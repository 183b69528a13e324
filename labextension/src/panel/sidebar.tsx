import React, { useCallback, useEffect, useReducer, useRef, useState } from 'react';

import type { RegistryPanel } from '.';
import { Refusal } from '../service';
import { Dataset, Datasets } from './datasets';
import { Diff } from './diff';
import { Drafts } from './drafts';
import { AllEvents } from './events';
import { Head, NamesOfLists, Search, useSettled, WayBack, type List } from './head';
import { Model } from './model';
import { Models } from './models';
import { Failure, Pending, useChanges, useSurroundings } from './parts';
import { Run, Runs } from './runs';
import { Upkeep } from './upkeep';
import { Version } from './version';
import { Way, type Place } from './way';

/** All of the sidebar: the lists, or the place that somebody went to from one of them. */
export function Sidebar({ widget }: { widget: RegistryPanel }): JSX.Element {
  const { service } = useSurroundings();
  const { isReady, failure, again } = useConnection(widget);
  const { places, list, go, back, home, choose } = usePlaces(widget);
  const [lost, setLost] = useState<Refusal | null>(null);
  const { models, runs, isOpen, toggle } = useLists();
  const box = useSearchBox(widget);
  useChanges(() => setLost(null)); // whoever hears of changes has the server again
  const refresh = (): void => {
    service.refresh().then(
      () => setLost(null),
      error => setLost(Refusal.of(error))
    );
  };
  if (!isReady) {
    return (
      <div className="jp-nbreg-Body">
        <Pending failure={failure} onAgain={again} />
      </div>
    );
  }
  const place = places[places.length - 1];
  return (
    <>
      <Head onEvents={() => go({ kind: 'events' })} onRefresh={refresh} />
      {lost && <Failure refusal={lost} onAgain={refresh} />}
      {place ? <WayBack list={list} onBack={back} onHome={places.length > 1 ? home : undefined} /> : <NamesOfLists list={list} onChoose={choose} />}
      {!place && list === 'models' && <Search of="models" box={box} text={models.text} onText={models.setText} />}
      {!place && list === 'runs' && <Search of="runs" text={runs.text} onText={runs.setText} />}
      <div className="jp-nbreg-Body" key={service.registry?.key}>
        <Way.Provider value={go}>
          {place && <Shown place={place} onCompare={(a, b) => go({ kind: 'diff', a, b })} />}
          {!place && list === 'models' && <Models text={models.settled} isOpen={isOpen} onToggle={toggle} onShow={ref => go({ kind: 'version', ref })} />}
          {!place && list === 'runs' && <Runs text={runs.settled} />}
          {!place && list === 'data' && <Datasets />}
          {!place && list === 'drafts' && <Drafts />}
          {!place && list === 'registry' && <Upkeep />}
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

/** Whether the server answers, and the registry of the notebook is found. */
function useConnection(widget: RegistryPanel): { isReady: boolean; failure: Refusal | null; again: () => void } {
  const { service } = useSurroundings();
  const [failure, setFailure] = useState<Refusal | null>(null);
  const [isReady, setReady] = useState(false);
  const again = useCallback(() => {
    setFailure(null);
    service
      .connect()
      .then(() => service.near(widget.near))
      .then(() => setReady(true))
      .catch(error => {
        setReady(false);
        setFailure(Refusal.of(error));
      });
  }, [service, widget]);
  useEffect(again, [again]);
  return { isReady, failure, again };
}

interface IPlaces {
  /** Those that somebody went through, that which is shown last; none where a list is shown. */
  places: ReadonlyArray<Place>;
  /** The list that they began from. */
  list: List;
  go: (place: Place) => void;
  back: () => void;
  home: () => void;
  choose: (list: List) => void;
}

/** Where somebody is in the sidebar, and was before; of another registry nothing of that is left. */
function usePlaces(widget: RegistryPanel): IPlaces {
  const { service } = useSurroundings();
  const [places, setPlaces] = useState<ReadonlyArray<Place>>(() => (widget.wanted ? [{ kind: 'version', ref: widget.wanted }] : []));
  const [list, choose] = useState<List>('models');
  const [, redraw] = useReducer((old: number) => old + 1, 0);
  useEffect(() => {
    let known = service.registry?.key;
    const other = (): void => {
      if (known !== undefined && service.registry?.key !== known) {
        setPlaces([]);
      }
      known = service.registry?.key;
      redraw();
    };
    const show = (_: unknown, ref: string): void => {
      setPlaces(ref ? [{ kind: 'version', ref }] : []);
      if (!ref) {
        choose('models');
      }
    };
    service.registryChanged.connect(other);
    widget.asked.connect(show);
    return () => {
      service.registryChanged.disconnect(other);
      widget.asked.disconnect(show);
    };
  }, [service, widget]);
  const go = useCallback((place: Place): void => setPlaces(old => [...old, place]), []);
  return { places, list, go, back: () => setPlaces(places.slice(0, -1)), home: () => setPlaces([]), choose };
}

interface ILists {
  models: ISearched;
  runs: ISearched;
  /** The models whose versions are listed. */
  isOpen: ReadonlySet<string>;
  toggle: (model: string) => void;
}

interface ISearched {
  text: string;
  /** The text once nobody types any more. */
  settled: string;
  setText: (text: string) => void;
}

/** What is typed and opened in the lists, which stays while somebody looks at something else. */
function useLists(): ILists {
  const models = useSearched();
  const runs = useSearched();
  const [isOpen, setOpen] = useState<ReadonlySet<string>>(new Set());
  const toggle = (model: string): void => setOpen(old => new Set(old.has(model) ? [...old].filter(each => each !== model) : [...old, model]));
  return { models, runs, isOpen, toggle };
}

function useSearched(): ISearched {
  const [text, setText] = useState('');
  return { text, settled: useSettled(text, 250), setText };
}

/** The box for a search, which gets the focus as soon as it is there and somebody asked for it. */
function useSearchBox(widget: RegistryPanel): React.RefObject<HTMLInputElement> {
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (box.current && widget.isSearchWanted) {
      widget.isSearchWanted = false;
      box.current.focus();
      box.current.select();
    }
  });
  return box;
}
