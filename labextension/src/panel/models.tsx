import { caretDownEmptyIcon, caretRightIcon } from '@jupyterlab/ui-components';
import React, { useEffect, useMemo, useState } from 'react';

import type { IModelRow, IVersionItem } from '../contract';
import { Refusal } from '../service';
import { byNumber, commonMetric, isQuery, label, shown } from '../words';
import { Failure, isAbout, Sparkline, Stage, useAnswer, useChanges, useSurroundings, When } from './parts';
import { To } from './way';

const MODELS = 100;
const VERSIONS = 20;

interface IShow {
  onShow: (ref: string) => void;
}

/** The models and their versions; or what a query chooses of them. */
export function Models({ text, onShow, isOpen, onToggle }: IShow & { text: string; isOpen: ReadonlySet<string>; onToggle: (model: string) => void }): JSX.Element {
  return isQuery(text) ? <Found query={text} onShow={onShow} /> : <ModelList match={text.trim()} onShow={onShow} isOpen={isOpen} onToggle={onToggle} />;
}

function ModelList({ match, onShow, isOpen, onToggle }: IShow & { match: string; isOpen: ReadonlySet<string>; onToggle: (model: string) => void }): JSX.Element {
  const { service, trans } = useSurroundings();
  const [limit, setLimit] = useState(MODELS);
  const { answer, failure, again } = useAnswer('models', { match, limit: Math.min(limit, 500) }, 'all');
  // The page stays while the next one is read: a list that blinks at each letter cannot be read.
  const [page, setPage] = useState(answer);
  useEffect(() => {
    if (answer) {
      setPage(answer);
    }
  }, [answer]);
  useEffect(() => setPage(null), [service.registry?.key]);
  if (failure) {
    return <Failure refusal={failure} onAgain={again} />;
  }
  if (!page) {
    return <p className="jp-nbreg-quiet">{trans.__('Reading…')}</p>;
  }
  if (page.total === 0) {
    return match ? <p className="jp-nbreg-Empty">{trans.__('No model has "%1" in its name.', match)}</p> : <NothingYet />;
  }
  return (
    <>
      <ul className="jp-nbreg-Models" aria-label={trans.__('Models')}>
        {page.models.map(each => (
          <Model key={each.name} row={each} isOpen={isOpen.has(each.name)} onToggle={onToggle} onShow={onShow} />
        ))}
      </ul>
      {page.total > page.models.length && (
        <p className="jp-nbreg-More">
          {limit < 500 ? (
            <button className="jp-nbreg-Link" onClick={() => setLimit(old => old + MODELS)}>
              {trans.__('%1 of %2 models: show more', page.models.length, page.total)}
            </button>
          ) : (
            <span className="jp-nbreg-quiet">{trans.__('%1 of %2 models: search to find the others', page.models.length, page.total)}</span>
          )}
        </p>
      )}
    </>
  );
}

function NothingYet(): JSX.Element {
  const { trans, service } = useSurroundings();
  return (
    <div className="jp-nbreg-Empty">
      <p>{trans.__('Nothing is registered here yet. In a notebook of this folder:')}</p>
      <pre>{'%load_ext nbreg\n%register_model churn clf --metrics accuracy'}</pre>
      <p>{trans.__('It appears here at once. The registry is %1', service.registry?.location ?? '')}</p>
    </div>
  );
}

function Model({ row, isOpen, onToggle, onShow }: IShow & { row: IModelRow; isOpen: boolean; onToggle: (model: string) => void }): JSX.Element {
  const { trans } = useSurroundings();
  const Caret = isOpen ? caretDownEmptyIcon : caretRightIcon;
  const stages = Object.entries(row.stages);
  return (
    <li>
      <button className="jp-nbreg-Model" aria-expanded={isOpen} onClick={() => onToggle(row.name)}>
        <Caret.react className="jp-nbreg-Caret" tag="span" />
        <span className="jp-nbreg-Name" title={row.name}>
          {row.name}
        </span>
        <span className="jp-nbreg-Beside">
          {stages.length > 0 ? (
            stages.map(([stage]) => <Stage key={stage} stage={stage} />)
          ) : (
            <span className="jp-nbreg-quiet">{row.latest_name ?? (row.latest === null ? '' : `#${row.latest}`)}</span>
          )}
          <span className="jp-nbreg-Count" title={trans._n('%1 version', '%1 versions', row.versions)}>
            {row.versions}
          </span>
        </span>
      </button>
      {isOpen && <Versions row={row} onShow={onShow} />}
    </li>
  );
}

function Versions({ row, onShow }: IShow & { row: IModelRow }): JSX.Element {
  const { service, trans } = useSurroundings();
  const [withDeleted, setWithDeleted] = useState(false);
  const { answer, failure, again } = useAnswer('versions', { model: row.name, limit: VERSIONS, deleted: withDeleted }, row.name);
  const [older, setOlder] = useState<{ items: IVersionItem[]; more: boolean } | null>(null);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  useChanges(changes => isAbout(changes, row.name) && setOlder(null));
  useEffect(() => setOlder(null), [withDeleted]);
  const items = useMemo(() => [...(answer?.versions ?? []), ...(older?.items ?? [])], [answer, older]);
  const metric = useMemo(() => commonMetric(items), [items]);
  if (failure) {
    return <Failure refusal={failure} onAgain={again} />;
  }
  if (!answer) {
    return <p className="jp-nbreg-quiet">{trans.__('Reading…')}</p>;
  }
  const values = items.map(each => each.version.metrics[metric]).filter(each => typeof each === 'number').reverse();
  const readOn = (): void => {
    service.ask('versions', { model: row.name, limit: 100, offset: items.length, deleted: withDeleted }).then(
      page => setOlder(old => ({ items: [...(old?.items ?? []), ...page.versions], more: page.more })),
      error => setRefusal(Refusal.of(error))
    );
  };
  return (
    <div className="jp-nbreg-Versions">
      {metric && <Sparkline name={metric} values={values} />}
      <ul aria-label={trans.__('Versions of %1', row.name)}>
        {items.map(each => (
          <li key={each.version.number}>
            <VersionLine item={each} metric={metric} onShow={onShow} />
          </li>
        ))}
      </ul>
      {items.length === 0 && <p className="jp-nbreg-quiet">{trans.__('All of its versions are deleted.')}</p>}
      {refusal && <Failure refusal={refusal} />}
      <div className="jp-nbreg-Foot">
        <To place={{ kind: 'model', model: row.name }} title={trans.__('Owners, gates, aliases, where it is at work, audit')}>
          {trans.__('About this model')}
        </To>
        {(older?.more ?? answer.more) && (
          <button className="jp-nbreg-Link" onClick={readOn}>
            {trans.__('Show older')}
          </button>
        )}
        {row.deleted > 0 && (
          <label>
            <input type="checkbox" checked={withDeleted} onChange={event => setWithDeleted(event.target.checked)} />
            {trans._n('with %1 deleted', 'with %1 deleted', row.deleted)}
          </label>
        )}
      </div>
    </div>
  );
}

/** A version as a line of a list: what it is called, where it stands, and what opens it. */
export function VersionLine({ item, metric, onShow, withModel = false }: IShow & { item: IVersionItem; metric: string; withModel?: boolean }): JSX.Element {
  const { version } = item;
  const value = version.metrics[metric];
  return (
    <button
      className={`jp-nbreg-Version${version.deleted ? ' jp-nbreg-mod-deleted' : ''}`}
      title={[version.message || version.description, version.bump_reason].filter(Boolean).join('\n')}
      onClick={() => onShow(byNumber(item))}
    >
      <span className="jp-nbreg-Name">
        {withModel && <>{item.model} </>}
        {label(version)}
      </span>
      {version.stage !== 'none' && <Stage stage={version.stage} />}
      {item.aliases.map(each => (
        <span key={each} className="jp-nbreg-Alias">
          {each}
        </span>
      ))}
      <span className="jp-nbreg-Beside">
        {value !== undefined && <span className="jp-nbreg-Number">{shown(value)}</span>}
        <span className="jp-nbreg-quiet">
          <When at={version.created} />
        </span>
      </span>
    </button>
  );
}

function Found({ query, onShow }: IShow & { query: string }): JSX.Element {
  const { trans } = useSurroundings();
  const [limit, setLimit] = useState(50);
  const { answer, failure } = useAnswer('search', { query, limit }, 'all');
  if (failure) {
    return <Failure refusal={failure} />;
  }
  if (!answer) {
    return <p className="jp-nbreg-quiet">{trans.__('Looking…')}</p>;
  }
  if (answer.versions.length === 0) {
    return <p className="jp-nbreg-Empty">{trans.__('No version is like that.')}</p>;
  }
  const metric = commonMetric(answer.versions);
  return (
    <div className="jp-nbreg-Versions jp-nbreg-mod-found">
      <ul aria-label={trans.__('Versions found')}>
        {answer.versions.map(each => (
          <li key={byNumber(each)}>
            <VersionLine item={each} metric={metric} onShow={onShow} withModel />
          </li>
        ))}
      </ul>
      {answer.more && limit < 500 && (
        <button className="jp-nbreg-Link" onClick={() => setLimit(old => Math.min(old + 150, 500))}>
          {trans.__('Show more')}
        </button>
      )}
    </div>
  );
}
