import React, { useEffect, useRef, useState } from 'react';

import type { IRunRecord } from '../contract';
import { commonest, exactly, lasted, runName, runQuery, shortRun, shown, size } from '../words';
import { Curve } from './curve';
import { Toggle, useDoing } from './doing';
import { Form } from './form';
import { Lines } from './lines';
import { Facts, Failure, Pending, Section, useAnswer, useLast, useSurroundings, When } from './parts';
import { useMay } from './permitted';
import { Heading, To, useGo } from './way';

const MOST = 500;

/** The runs, newest first or by a metric; those that a query chooses. */
export function Runs({ text }: { text: string }): JSX.Element {
  const { trans } = useSurroundings();
  const [limit, setLimit] = useState(50);
  const [sort, setSort] = useState('');
  const [deleted, setDeleted] = useState(false);
  const { answer, failure, again } = useAnswer('runs', { query: runQuery(text), sort, limit, deleted }, { other: 'runs' });
  const page = useLast(answer);
  const runs = page?.runs ?? [];
  const metric = sort ? sort.replace(/^-?metrics\./, '') : commonest(runs.map(each => each.metrics));
  if (failure && !answer) {
    return <Failure refusal={failure} onAgain={again} />;
  }
  if (!page) {
    return <Pending failure={null} />;
  }
  const isAll = text.trim() === '' && !deleted;
  return (
    <>
      {runs.length === 0 && (isAll ? <NoRuns /> : <p className="jp-nbreg-Empty">{trans.__('No run is like that.')}</p>)}
      <Sort runs={runs} sort={sort} onSort={setSort} />
      <Lines>
        <ul aria-label={trans.__('Runs')}>
          {runs.map(each => (
            <RunLine key={each.id} run={each} metric={metric} />
          ))}
        </ul>
      </Lines>
      <div className="jp-nbreg-Foot">
        {page.more && limit < MOST && (
          <button className="jp-nbreg-Link" onClick={() => setLimit(old => Math.min(old + 150, MOST))}>
            {trans.__('Show more')}
          </button>
        )}
        {(runs.length > 0 || !isAll) && (
          <label>
            <input type="checkbox" checked={deleted} onChange={event => setDeleted(event.target.checked)} />
            {trans.__('with deleted ones')}
          </label>
        )}
      </div>
    </>
  );
}

/** By what the runs are sorted: any metric that has a plain name. */
function Sort({ runs, sort, onSort }: { runs: ReadonlyArray<IRunRecord>; sort: string; onSort: (sort: string) => void }): JSX.Element | null {
  const { trans } = useSurroundings();
  const metrics = new Set(runs.flatMap(each => Object.keys(each.metrics)).filter(each => /^[A-Za-z_]\w*$/.test(each)));
  if (sort) {
    metrics.add(sort.replace(/^-?metrics\./, ''));
  }
  return metrics.size === 0 ? null : (
    <label className="jp-nbreg-Sort">
      {trans.__('Sorted by')}
      <select className="jp-mod-styled" value={sort} onChange={event => onSort(event.target.value)}>
        <option value="">{trans.__('newest first')}</option>
        {[...metrics].sort().flatMap(each => [
          <option key={`-${each}`} value={`-metrics.${each}`}>
            {trans.__('%1, the highest first', each)}
          </option>,
          <option key={each} value={`metrics.${each}`}>
            {trans.__('%1, the lowest first', each)}
          </option>
        ])}
      </select>
    </label>
  );
}

function NoRuns(): JSX.Element {
  const { trans } = useSurroundings();
  return (
    <div className="jp-nbreg-Empty">
      <p>{trans.__('No run is recorded here yet. In a notebook of this folder:')}</p>
      <pre>{'%load_ext nbreg\n%start_run first --params lr=0.1'}</pre>
      <p>{trans.__('or, anywhere in Python:')}</p>
      <pre>{'with nbreg.start_run("first", params={"lr": 0.1}) as run:\n    run.log_metric("loss", 0.3, step=1)'}</pre>
    </div>
  );
}

function RunLine({ run, metric }: { run: IRunRecord; metric: string }): JSX.Element {
  const go = useGo();
  const value = run.metrics[metric];
  return (
    <li>
      <button
        className={`jp-nbreg-Version jp-nbreg-mod-run${run.deleted ? ' jp-nbreg-mod-deleted' : ''}`}
        title={[
          run.experiment,
          run.place,
          Object.entries(run.params)
            .map(([name, each]) => `${name} = ${shown(each, 40)}`)
            .join(', ')
        ]
          .filter(Boolean)
          .join('\n')}
        onClick={() => go({ kind: 'run', run: run.id })}
      >
        <State state={run.state} />
        <span className="jp-nbreg-Name">
          {runName(run)}
          <span className="jp-nbreg-quiet"> {run.experiment || run.place.split(/[\\/]/).pop()}</span>
        </span>
        <span className="jp-nbreg-Beside">
          {value !== undefined && (
            <span className="jp-nbreg-Number" title={metric}>
              {shown(value)}
            </span>
          )}
          <span className="jp-nbreg-quiet">
            <When at={run.started_at} />
          </span>
        </span>
      </button>
    </li>
  );
}

function State({ state }: { state: IRunRecord['state'] }): JSX.Element {
  return <span className={`jp-nbreg-Dot jp-nbreg-mod-${state}`} role="img" aria-label={state} title={state} />;
}

/** All that is known of a run, with its metrics as curves; a run that goes on is read again and again. */
export function Run({ run: id }: { run: string }): JSX.Element {
  const { service, trans } = useSurroundings();
  const { answer, failure, again } = useAnswer('run', { run: id }, { other: 'runs' });
  const may = useMay();
  const doing = useDoing<'act'>(again);
  const isRunning = answer?.state === 'running';
  useEffect(() => {
    if (!isRunning) {
      return;
    }
    // Its own lines change no folder that a poll looks at.
    const timer = setInterval(() => service.isIdle || again(), 3000);
    return () => clearInterval(timer);
  }, [isRunning, again, service]);
  if (!answer) {
    return <Pending failure={failure} onAgain={again} />;
  }
  const verb = answer.deleted ? trans.__('Restore') : trans.__('Delete');
  const isTheirs = may.own || (may.look && answer.actor.user === service.hello?.actor.user);
  return (
    <article className="jp-nbreg-Detail">
      <Heading>
        <b>{runName(answer)}</b> {answer.name && <span className="jp-nbreg-quiet">{shortRun(answer.id)}</span>}
      </Heading>
      <div className="jp-nbreg-Line">
        <span className="jp-nbreg-Stage">
          <span className={`jp-nbreg-Dot jp-nbreg-mod-${answer.state}`} aria-hidden="true" />
          {answer.state}
        </span>
        {answer.error && <code>{answer.error}</code>}
        {answer.deleted && <span className="jp-nbreg-Tag">{trans.__('deleted')}</span>}
      </div>
      {answer.notes.map((each, i) => (
        <p key={i} className="jp-nbreg-quiet">
          {each}
        </p>
      ))}
      <Curves run={answer} />
      <Facts
        rows={[
          [trans.__('experiment'), answer.experiment],
          [
            trans.__('started'),
            <span title={exactly(answer.started_at)}>
              <When at={answer.started_at} /> {trans.__('by %1', answer.actor.user)}
            </span>
          ],
          [trans.__('took'), lasted(answer.started_at, answer.ended_at)],
          [trans.__('kind'), answer.kind],
          [trans.__('place'), answer.place ? <span title={answer.place}>{answer.place.split(/[\\/]/).pop()}</span> : ''],
          [trans.__('commit'), answer.commit.slice(0, 12)],
          [trans.__('Python'), answer.python],
          [trans.__('part of'), answer.parent ? <To place={{ kind: 'run', run: answer.parent }}>{shortRun(answer.parent)}</To> : ''],
          [trans.__('deleted'), answer.deleted ? [answer.deleted.by, answer.deleted.reason].filter(Boolean).join(' · ') : '']
        ]}
      />
      <Params params={answer.params} />
      <Made run={answer} />
      {answer.artifacts.length > 0 && (
        <Section title={trans.__('Artifacts')} count={answer.artifacts.length}>
          {() => <Facts rows={answer.artifacts.map(each => [each.name, `${each.type || each.kind} · ${size(each.size)}`])} />}
        </Section>
      )}
      {isTheirs && answer.state !== 'running' && (
        <div className="jp-nbreg-Actions">
          <Toggle doing={doing} opens="act">
            {verb}
          </Toggle>
        </div>
      )}
      {doing.what === 'act' && (
        <Form
          title={`${verb}: ${runName(answer)}`}
          verb={verb}
          told={
            answer.deleted ? trans.__('It is listed again.') : trans.__('It is hidden, and can be restored. A run that a version was registered from stays.')
          }
          withoutMessage
          withoutReason={answer.deleted !== null}
          act={({ reason }) => (answer.deleted ? service.ask('restore-run', { run: id }) : service.ask('delete-run', { run: id, reason }))}
          {...doing.form}
        />
      )}
    </article>
  );
}

function Params({ params }: { params: IRunRecord['params'] }): JSX.Element | null {
  const { trans } = useSurroundings();
  const given = Object.entries(params);
  return given.length === 0 ? null : (
    <Section title={trans.__('Params')} count={given.length} isOpen={given.length <= 12}>
      {() => <Facts rows={given.map(([name, value]) => [name, shown(value)])} />}
    </Section>
  );
}

/** The versions that were registered from it. */
function Made({ run }: { run: IRunRecord }): JSX.Element | null {
  const { trans } = useSurroundings();
  return run.versions.length === 0 ? null : (
    <Section title={trans.__('Versions')} count={run.versions.length} isOpen>
      {() => (
        <ul className="jp-nbreg-Rows" aria-label={trans.__('Versions that were registered from it')}>
          {run.versions.map(each => (
            <li key={`${each.model}@${each.number}`}>
              <To place={{ kind: 'version', ref: `${each.model}@${each.number}` }}>{`${each.model} ${each.name ?? `#${each.number}`}`}</To>{' '}
              <span className="jp-nbreg-quiet jp-nbreg-Number">
                {Object.entries(each.metrics)
                  .slice(0, 3)
                  .map(([name, value]) => `${name} ${shown(value)}`)
                  .join(' · ')}
              </span>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

/** The last value of each metric; the one that is chosen is drawn over its steps. */
function Curves({ run }: { run: IRunRecord }): JSX.Element | null {
  const { trans } = useSurroundings();
  const metrics = Object.entries(run.metrics);
  const drawable = metrics.filter(([name]) => (run.counts[name] ?? 0) > 1).map(([name]) => name);
  const [chosen, setChosen] = useState<string | null>(null);
  const name = chosen !== null && drawable.includes(chosen) ? chosen : drawable[0];
  if (metrics.length === 0) {
    return null;
  }
  return (
    <>
      <ul className="jp-nbreg-Metrics" aria-label={trans.__('Metrics')}>
        {metrics.map(([each, value]) => (
          <li key={each}>
            {drawable.length > 1 && drawable.includes(each) ? (
              <button className="jp-nbreg-Link" aria-pressed={each === name} title={trans.__('Draw it')} onClick={() => setChosen(each)}>
                {each}
              </button>
            ) : (
              <span className="jp-nbreg-quiet">{each}</span>
            )}
            <b className="jp-nbreg-Number" title={String(value)}>
              {shown(value)}
            </b>
          </li>
        ))}
      </ul>
      {name !== undefined && <Drawn run={run} name={name} />}
    </>
  );
}

function Drawn({ run, name }: { run: IRunRecord; name: string }): JSX.Element {
  const { answer, failure, again } = useAnswer('run/curve', { run: run.id, metric: name, points: 300 }, null);
  const count = run.counts[name];
  const drawn = useRef(count);
  useEffect(() => {
    if (drawn.current !== count) {
      drawn.current = count;
      again();
    }
  }, [count, again]);
  if (!answer) {
    return <Pending failure={failure} onAgain={again} />;
  }
  return <Curve key={name} name={name} points={answer} />;
}
