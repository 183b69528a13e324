import { caretDownEmptyIcon, caretRightIcon } from '@jupyterlab/ui-components';
import React, { useCallback, useMemo, useState } from 'react';

import type { IModelRow, IVersionItem } from '../contract';
import { Refusal } from '../service';
import { byNumber, commonMetric, isQuery, label, shown } from '../words';
import { Lines } from './lines';
import { usePages } from './pages';
import { Failure, isAbout, Pending, Sparkline, Stage, useSurroundings, When } from './parts';
import { usePreferences } from './preferences';
import { To } from './way';
import { Window } from './window';

/** How high a line of each kind is, until it is measured. */
const HEIGHT = { model: 28, version: 26 } as const;

interface IShow {
  onShow: (ref: string) => void;
}

interface IOpen {
  isOpen: ReadonlySet<string>;
  onToggle: (model: string) => void;
}

/** The models and their versions; or what a query chooses of them. */
export function Models({ text, ...rest }: IShow & IOpen & { text: string }): JSX.Element {
  return <Lines>{isQuery(text) ? <Found query={text} onShow={rest.onShow} /> : <ModelList match={text.trim()} {...rest} />}</Lines>;
}

function ModelList({ match, onShow, isOpen, onToggle }: IShow & IOpen & { match: string }): JSX.Element {
  const { service, trans } = useSurroundings();
  const { total, failure, at, need, again } = usePages<IModelRow>(
    (offset, limit) => service.ask('models', { match, offset, limit }).then(page => ({ items: page.models, total: page.total })),
    match,
    () => true
  );
  // Of a model that is scrolled away and back, what was chosen in it stays.
  const [withDeleted, setWithDeleted] = useState<ReadonlySet<string>>(new Set());
  const toggleDeleted = (model: string): void => setWithDeleted(old => new Set(old.has(model) ? [...old].filter(each => each !== model) : [...old, model]));
  const keyOf = useCallback((index: number) => at(index)?.name ?? `#${index}`, [at]);
  if (total === null) {
    return <Pending failure={failure} onAgain={again} />;
  }
  // What was read stays, with the focus that is in it, while the server cannot be reached.
  const trouble = failure && <Failure refusal={failure} onAgain={again} />;
  if (total === 0) {
    return trouble ?? (match ? <p className="jp-nbreg-Empty">{trans.__('No model has "%1" in its name.', match)}</p> : <NothingYet />);
  }
  return (
    <>
      {trouble}
      <Window label={trans.__('Models')} count={total} keyOf={keyOf} height={HEIGHT.model} onDraw={need}>
        {index => {
          const row = at(index);
          return row ? (
            <Model row={row} isOpen={isOpen.has(row.name)} onToggle={onToggle} onShow={onShow} withDeleted={withDeleted.has(row.name)} onToggleDeleted={toggleDeleted} />
          ) : (
            <Unread className="jp-nbreg-Model" />
          );
        }}
      </Window>
    </>
  );
}

/** The place of what is being read: as high as what will stand there. */
function Unread({ className }: { className: string }): JSX.Element {
  return (
    <button className={className} disabled aria-hidden="true">
      <span className="jp-nbreg-quiet">…</span>
    </button>
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

/** What the menu of a model is about: what is in production, else the latest. */
function about({ name, stages, latest, latest_name }: IModelRow): { [attribute: string]: string } {
  const inProduction = stages['production'];
  if (inProduction !== undefined) {
    return { 'data-nbreg-ref': `${name}@${inProduction}`, 'data-nbreg-said': `${name}@production` };
  }
  return latest === null ? {} : { 'data-nbreg-ref': `${name}@${latest}`, 'data-nbreg-said': `${name}@${latest_name ?? latest}` };
}

interface IModelProps extends IShow {
  row: IModelRow;
  isOpen: boolean;
  onToggle: (model: string) => void;
  withDeleted: boolean;
  onToggleDeleted: (model: string) => void;
}

function Model({ row, isOpen, onToggle, onShow, withDeleted, onToggleDeleted }: IModelProps): JSX.Element {
  const { trans } = useSurroundings();
  const Caret = isOpen ? caretDownEmptyIcon : caretRightIcon;
  const stages = Object.entries(row.stages);
  return (
    <>
      <button className="jp-nbreg-Model" {...about(row)} aria-expanded={isOpen} onClick={() => onToggle(row.name)}>
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
      {isOpen && <Versions row={row} onShow={onShow} withDeleted={withDeleted} onToggleDeleted={onToggleDeleted} />}
    </>
  );
}

function Versions({ row, onShow, withDeleted, onToggleDeleted }: Omit<IModelProps, 'isOpen' | 'onToggle'>): JSX.Element {
  const { trans } = useSurroundings();
  const preferences = usePreferences();
  const { total, failure, at, first, need, again } = useVersions(row, withDeleted);
  const common = useMemo(() => commonMetric(first), [first]);
  const metric = preferences.metric && first.some(each => preferences.metric in each.version.metrics) ? preferences.metric : common;
  const values = useMemo(() => overTime(first, metric), [first, metric]);
  const keyOf = useCallback((index: number) => String(at(index)?.version.number ?? `#${index}`), [at]);
  if (failure && total === null) {
    return <Failure refusal={failure} onAgain={again} />;
  }
  // As many as the model says that it has, so that nothing jumps when they were read.
  const count = total ?? row.versions + (withDeleted ? row.deleted : 0);
  return (
    <div className="jp-nbreg-Versions">
      {failure && <Failure refusal={failure} onAgain={again} />}
      {metric && <Sparkline name={metric} values={values} />}
      {count > 0 && (
        <Window label={trans.__('Versions of %1', row.name)} count={count} keyOf={keyOf} height={HEIGHT.version} onDraw={need}>
          {index => {
            const item = at(index);
            return item ? <VersionLine item={item} metric={metric} onShow={onShow} /> : <Unread className="jp-nbreg-Version" />;
          }}
        </Window>
      )}
      {count === 0 && <p className="jp-nbreg-quiet">{trans.__('All of its versions are deleted.')}</p>}
      <div className="jp-nbreg-Foot">
        <To place={{ kind: 'model', model: row.name }} title={trans.__('Owners, gates, aliases, where it is at work, audit')}>
          {trans.__('About this model')}
        </To>
        {row.deleted > 0 && (
          <label>
            <input type="checkbox" checked={withDeleted} onChange={() => onToggleDeleted(row.name)} />
            {trans._n('with %1 deleted', 'with %1 deleted', row.deleted)}
          </label>
        )}
      </div>
    </div>
  );
}

/** A model's versions in the order that somebody prefers; newest first where the model knows nothing of that. */
function useVersions(row: IModelRow, withDeleted: boolean): ReturnType<typeof usePages<IVersionItem>> {
  const { service } = useSurroundings();
  const { sort } = usePreferences();
  return usePages<IVersionItem>(
    async (offset, limit) => {
      const asked = { model: row.name, offset, limit, deleted: withDeleted };
      const page = await service.ask('versions', { ...asked, sort }).catch(error => {
        if (sort && Refusal.of(error).status === 400) {
          return service.ask('versions', asked);
        }
        throw error;
      });
      const end = offset + page.versions.length;
      return { items: page.versions, total: page.more ? Math.max(end + 1, row.versions + (withDeleted ? row.deleted : 0)) : end };
    },
    JSON.stringify([row.name, withDeleted, sort]),
    changes => isAbout(changes, row.name)
  );
}

/** The values of a metric, oldest first. */
function overTime(items: ReadonlyArray<IVersionItem>, metric: string): number[] {
  return items
    .map(({ version }) => [version.number, version.metrics[metric]] as const)
    .filter((each): each is readonly [number, number] => typeof each[1] === 'number')
    .sort((a, b) => a[0] - b[0])
    .map(([, value]) => value);
}

/** A version as a line of a list: what it is called, where it stands, and what opens it. */
export function VersionLine({ item, metric, onShow, withModel = false }: IShow & { item: IVersionItem; metric: string; withModel?: boolean }): JSX.Element {
  const { drag } = usePreferences();
  const { version } = item;
  const value = version.metrics[metric];
  return (
    <button
      data-nbreg-ref={byNumber(item)}
      data-nbreg-said={item.ref}
      onPointerDown={event => event.button === 0 && drag(item.ref, event.nativeEvent)}
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
  const { service, trans } = useSurroundings();
  const preferences = usePreferences();
  const { total, failure, at, first, need } = usePages<IVersionItem>(
    async (offset, limit) => {
      const page = await service.ask('search', { query, offset, limit });
      return { items: page.versions, total: offset + page.versions.length + (page.more ? 1 : 0) };
    },
    query,
    () => true
  );
  const common = useMemo(() => commonMetric(first), [first]);
  const metric = preferences.metric || common;
  const keyOf = useCallback(
    (index: number) => {
      const item = at(index);
      return item ? byNumber(item) : `#${index}`;
    },
    [at]
  );
  if (failure) {
    return <Failure refusal={failure} />;
  }
  if (total === null) {
    return <p className="jp-nbreg-quiet">{trans.__('Looking…')}</p>;
  }
  if (total === 0) {
    return <p className="jp-nbreg-Empty">{trans.__('No version is like that.')}</p>;
  }
  const isOpenEnded = at(total - 1) === undefined;
  return (
    <div className="jp-nbreg-Versions jp-nbreg-mod-found">
      <Window label={trans.__('Versions found')} count={total} isOpenEnded={isOpenEnded} keyOf={keyOf} height={HEIGHT.version} onDraw={need}>
        {index => {
          const item = at(index);
          return item ? <VersionLine item={item} metric={metric} onShow={onShow} withModel /> : <Unread className="jp-nbreg-Version" />;
        }}
      </Window>
    </div>
  );
}
