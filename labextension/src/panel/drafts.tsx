import React from 'react';

import type { IDraftRecord } from '../contract';
import { runName, shown, size } from '../words';
import { Facts, Pending, useAnswer, useSurroundings, When } from './parts';
import { To } from './way';

/** What notebooks trained and nobody registered. */
export function Drafts(): JSX.Element {
  const { trans } = useSurroundings();
  const { answer, failure, again } = useAnswer('drafts', {}, { other: 'drafts' });
  if (!answer) {
    return <Pending failure={failure} onAgain={again} />;
  }
  if (answer.drafts.length === 0) {
    return (
      <div className="jp-nbreg-Empty">
        <p>
          {trans.__(
            'Nothing was trained here that is not registered. Where a kernel has nbreg loaded, what it trains is kept here for a while, so that no good model is lost:'
          )}
        </p>
        <pre>{'%load_ext nbreg'}</pre>
      </div>
    );
  }
  return (
    <ul className="jp-nbreg-Drafts" aria-label={trans.__('Drafts')}>
      {answer.drafts.map(each => (
        <Draft key={each.number} draft={each} />
      ))}
    </ul>
  );
}

function Draft({ draft }: { draft: IDraftRecord }): JSX.Element {
  const { trans } = useSurroundings();
  const { cell, metrics, params } = draft;
  const count = cell['execution_count'];
  return (
    <li>
      <div>
        <b>{draft.variable}</b> <span title={draft.type}>{draft.type.split('.').pop()}</span> <span className="jp-nbreg-quiet">#{draft.number}</span>
      </div>
      <div className="jp-nbreg-quiet">
        {[draft.notebook.split('/').pop(), typeof count === 'number' ? `[${count}]` : '', draft.actor].filter(Boolean).join(' · ')} · <When at={draft.at} />
      </div>
      <Facts
        rows={[
          ...Object.entries(metrics).map(([name, value]): [string, React.ReactNode] => [name, shown(value)]),
          [
            trans.__('params'),
            Object.entries(params)
              .map(([name, value]) => `${name} = ${shown(value, 60)}`)
              .join(', ')
          ],
          [trans.__('run'), draft.run ? <To place={{ kind: 'run', run: draft.run.id }}>{runName(draft.run)}</To> : ''],
          [trans.__('size'), size(draft.size)],
          [trans.__('failed'), typeof cell['error'] === 'string' ? cell['error'] : ''],
          [trans.__('not kept'), draft.why]
        ]}
      />
      {!draft.why && <pre>{`%register_model NAME --draft ${draft.number}`}</pre>}
    </li>
  );
}
