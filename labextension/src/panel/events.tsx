import React, { useState } from 'react';

import type { IEvent } from '../contract';
import { happened } from '../words';
import { Failure, Pending, useAnswer, useSurroundings, When } from './parts';

const MOST = 500;

/** What happened in the registry, newest first: who, when and why. */
export function AllEvents(): JSX.Element {
  const [limit, setLimit] = useState(50);
  const { answer, failure, again } = useAnswer('events', { limit }, 'all');
  if (!answer) {
    return <Pending failure={failure} onAgain={again} />;
  }
  return <Events events={answer.events} withModel onOlder={answer.more && limit < MOST ? () => setLimit(limit + 150) : undefined} />;
}

/** What happened to a version; or to all of its model. */
export function VersionEvents({ model, number }: { model: string; number: number }): JSX.Element {
  const { trans } = useSurroundings();
  const [limit, setLimit] = useState(50);
  const [isOfAll, setOfAll] = useState(false);
  const { answer, failure, again } = useAnswer('timeline', isOfAll ? { model, limit } : { model, number, limit }, model);
  return (
    <>
      <label className="jp-nbreg-quiet">
        <input type="checkbox" checked={isOfAll} onChange={event => setOfAll(event.target.checked)} /> {trans.__('of all versions')}
      </label>
      {failure && <Failure refusal={failure} onAgain={again} />}
      {answer && <Events events={answer.items.map(each => each.event)} onOlder={answer.rest && limit < MOST ? () => setLimit(limit + 150) : undefined} />}
    </>
  );
}

function Events({ events, withModel = false, onOlder }: { events: ReadonlyArray<IEvent>; withModel?: boolean; onOlder?: () => void }): JSX.Element {
  const { trans } = useSurroundings();
  if (events.length === 0) {
    return <p className="jp-nbreg-quiet">{trans.__('Nothing happened yet.')}</p>;
  }
  return (
    <>
      <ol className="jp-nbreg-Events" aria-label={trans.__('Events')}>
        {events.map(each => (
          <li key={`${each.model} ${each.seq}`}>
            <div>
              {withModel && <b>{each.model} </b>}
              {happened(each)}
              {each.reason && <span className="jp-nbreg-Tag">{each.reason}</span>}
            </div>
            {each.message && <div className="jp-nbreg-Said">{each.message}</div>}
            <div className="jp-nbreg-quiet">
              {each.by.user} · <When at={each.at} />
            </div>
          </li>
        ))}
      </ol>
      {onOlder && (
        <button className="jp-nbreg-Link jp-nbreg-More" onClick={onOlder}>
          {trans.__('Show older')}
        </button>
      )}
    </>
  );
}
