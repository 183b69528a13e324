import React from 'react';

import type { ISnapshot } from '../contract';
import { byNumber, exactly, shown, size } from '../words';
import { Lines } from './lines';
import { VersionLine } from './models';
import { Facts, Failure, Pending, useAnswer, useSurroundings, When } from './parts';
import { Heading, To, useGo } from './way';

/** The data sets that somebody named, the newest content of each. */
export function Datasets(): JSX.Element {
  const { trans } = useSurroundings();
  const go = useGo();
  const { answer, failure, again } = useAnswer('datasets', {}, { other: 'data' });
  if (!answer) {
    return <Pending failure={failure} onAgain={again} />;
  }
  if (answer.length === 0) {
    return (
      <div className="jp-nbreg-Empty">
        <p>{trans.__('No data has a name here yet. Name it where a model is registered:')}</p>
        <pre>{'registry.register("churn", clf,\n    data={"train": nbreg.Dataset("customers", X)})'}</pre>
        <p>
          {trans.__(
            'Then its contents have numbers, and it leads to all versions that saw them. Data without a name does, too: open Data on the page of a version.'
          )}
        </p>
      </div>
    );
  }
  return (
    <Lines>
      <ul aria-label={trans.__('Data sets')}>
        {answer.map(each => (
          <li key={each.dataset}>
            <button
              className="jp-nbreg-Version jp-nbreg-mod-run"
              title={each.origins.join('\n')}
              onClick={() => go({ kind: 'data', data: `${each.dataset}@${each.number}` })}
            >
              <span className="jp-nbreg-Name">
                {each.dataset} <span className="jp-nbreg-quiet">@{each.number}</span>
              </span>
              <span className="jp-nbreg-Beside jp-nbreg-quiet">
                {shape(each)} <When at={each.at} />
              </span>
            </button>
          </li>
        ))}
      </ul>
    </Lines>
  );
}

function shape({ summary }: ISnapshot): string {
  const found = summary['shape'];
  return Array.isArray(found) ? found.join('×') : '';
}

/** Some data, and the versions that used it, whatever they called it. */
export function Dataset({ data }: { data: string }): JSX.Element {
  const { trans } = useSurroundings();
  const [name, number] = split(data);
  const series = useAnswer('dataset', name === null ? null : { data: name }, { other: 'data' });
  const used = useAnswer('trained-on', { data }, 'all');
  const go = useGo();
  const told = series.answer?.find(each => number === null || each.number === number);
  return (
    <article className="jp-nbreg-Detail">
      <Heading>
        <b>{name ?? data.slice(0, 19)}</b> {told && <span className="jp-nbreg-quiet">@{told.number}</span>}
      </Heading>
      {series.failure && <Failure refusal={series.failure} onAgain={series.again} />}
      {told && (
        <Facts
          rows={[
            [trans.__('shape'), shape(told)],
            [trans.__('kind'), shown(told.summary['kind'] ?? '')],
            [trans.__('size'), typeof told.summary['bytes'] === 'number' ? size(told.summary['bytes']) : ''],
            [trans.__('digested'), shown(told.summary['scope'] ?? '')],
            [
              trans.__('first seen'),
              <>
                <When at={told.at} /> {trans.__('by %1', told.by)}
              </>
            ],
            [trans.__('origin'), told.origins.join(', ')],
            [trans.__('content'), <code title={told.snapshot}>{told.snapshot.slice(0, 12)}</code>]
          ]}
        />
      )}
      {told && series.answer && series.answer.length > 1 && <Contents series={series.answer} shown={told} />}
      <h3>{trans.__('Who used it')}</h3>
      {used.failure && <Failure refusal={used.failure} onAgain={used.again} />}
      {used.answer?.length === 0 && <p className="jp-nbreg-quiet">{trans.__('No version did.')}</p>}
      {used.answer && used.answer.length > 0 && (
        <Lines>
          <ul className="jp-nbreg-mod-found jp-nbreg-Wide" aria-label={trans.__('Versions that used it')}>
            {used.answer.map(each => (
              <li key={byNumber(each)}>
                <VersionLine item={each} metric="" onShow={ref => go({ kind: 'version', ref })} withModel />
              </li>
            ))}
          </ul>
        </Lines>
      )}
    </article>
  );
}

const NUMBERS = 20;

/** The contents that a data set had, newest first. */
function Contents({ series, shown: now }: { series: ReadonlyArray<ISnapshot>; shown: ISnapshot }): JSX.Element {
  const { trans } = useSurroundings();
  return (
    <ul className="jp-nbreg-Actions" aria-label={trans.__('Contents that it had')}>
      {series.slice(0, NUMBERS).map(each => (
        <li key={each.number}>
          {each.number === now.number ? (
            <b aria-current="true">@{each.number}</b>
          ) : (
            <To place={{ kind: 'data', data: `${each.dataset}@${each.number}` }} title={[shape(each), each.by, exactly(each.at)].filter(Boolean).join(' · ')}>
              @{each.number}
            </To>
          )}
        </li>
      ))}
      {series.length > NUMBERS && <li className="jp-nbreg-quiet">{trans.__('and %1 older', series.length - NUMBERS)}</li>}
    </ul>
  );
}

/** The name and the number of `customers@2`; neither of a digest. */
function split(data: string): [string | null, number | null] {
  if (data.startsWith('sha256:')) {
    return [null, null];
  }
  const at = data.lastIndexOf('@');
  const number = Number(data.slice(at + 1));
  return at > 0 && Number.isInteger(number) ? [data.slice(0, at), number] : [data, null];
}
