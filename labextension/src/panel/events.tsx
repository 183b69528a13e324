import React, { useState } from 'react';

import type { IEvent } from '../contract';
import { happened } from '../words';
import { Check } from './fields';
import { Failure, Pending, useAnswer, useLast, useSurroundings, When } from './parts';
import { Heading } from './way';

const MOST = 500;

/** What happened in the registry, newest first: who, when and why. */
export function AllEvents(): JSX.Element {
  const { trans } = useSurroundings();
  const [limit, setLimit] = useState(50);
  const { answer, failure, again } = useAnswer('events', { limit }, 'all');
  const page = useLast(answer);
  return (
    <article className="jp-nbreg-Detail">
      <Heading>{trans.__('What happened')}</Heading>
      {(failure || !page) && <Pending failure={failure} onAgain={again} />}
      {page && <Events events={page.events} withModel onOlder={page.more && limit < MOST ? () => setLimit(limit + 150) : undefined} />}
    </article>
  );
}

/** What happened to a version; or to all of its model. */
export function VersionEvents({ model, number }: { model: string; number: number }): JSX.Element {
  const { trans } = useSurroundings();
  const [limit, setLimit] = useState(50);
  const [isOfAll, setOfAll] = useState(false);
  const { answer, failure, again } = useAnswer('timeline', isOfAll ? { model, limit } : { model, number, limit }, model);
  const page = useLast(answer);
  return (
    <>
      <Check className="jp-nbreg-quiet" label={trans.__('of all versions')} checked={isOfAll} onCheck={setOfAll} />
      {failure && <Failure refusal={failure} onAgain={again} />}
      {page && <Events events={page.items.map(each => each.event)} onOlder={page.rest && limit < MOST ? () => setLimit(limit + 150) : undefined} />}
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
              {each.reason && (
                <>
                  {' '}
                  <span className="jp-nbreg-Tag">{each.reason}</span>
                </>
              )}
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
