import React, { useState } from 'react';

import type { IMove, IPromotionRequest, IVersionItem } from '../contract';
import { foretold } from '../words';
import { Form, type Act } from './form';
import { Stage, useAnswer, useSurroundings, When } from './parts';
import { useMay } from './permitted';
import { To } from './way';

type Verb = 'approve' | 'reject' | 'withdraw';

/** What others are asked to agree to before this version moves, and saying yes or no to it. */
export function Requests({ item, moves, onChanged }: { item: IVersionItem; moves: ReadonlyArray<IMove>; onChanged: () => void }): JSX.Element | null {
  const { answer, again } = useAnswer('requests', { model: item.model, state: 'open' }, item.model);
  const open = (answer ?? []).filter(each => each.version === item.version.number);
  return open.length === 0 ? null : (
    <>
      {open.map(each => (
        <Request
          key={each.id}
          request={each}
          move={moves.find(move => move.kind === 'promoted' && move.to === each.to)}
          onDone={() => {
            again();
            onChanged();
          }}
        />
      ))}
    </>
  );
}

/** What waits for an answer, of one model or of all; nothing where nothing does. */
export function RequestList({ model }: { model?: string }): JSX.Element | null {
  const { trans } = useSurroundings();
  const { answer, again } = useAnswer('requests', { ...(model === undefined ? {} : { model }), state: 'open' }, model ?? 'all');
  if (!answer || answer.length === 0) {
    return null;
  }
  return (
    <div className="jp-nbreg-Requests" role="group" aria-label={trans.__('Requests that wait for an answer')}>
      {answer.map(each => (
        <Request key={each.id} request={each} withVersion onDone={again} />
      ))}
    </div>
  );
}

interface IRequestProps {
  request: IPromotionRequest;
  /** What agreeing to it would do, where that is known: it is done as it is shown here, or refused. */
  move?: IMove;
  withVersion?: boolean;
  onDone: () => void;
}

function Request({ request, move, withVersion = false, onDone }: IRequestProps): JSX.Element {
  const { service, trans } = useSurroundings();
  const may = useMay();
  const [verb, setVerb] = useState<Verb | null>(null);
  const isMine = service.hello?.actor.user === request.by;
  const verbs: { [verb in Verb]: string } = { approve: trans.__('Approve'), reject: trans.__('Reject'), withdraw: trans.__('Withdraw') };
  const acts: { [verb in Verb]: Act } = {
    approve: why => service.ask('approve', { ...why, request: request.id, expect: move ?? null }),
    reject: why => service.ask('reject', { ...why, request: request.id }),
    withdraw: why => service.ask('withdraw', { ...why, request: request.id })
  };
  const ref = `${request.model}@${request.version}`;
  const offered: Verb[] = !may.look ? [] : isMine ? ['withdraw'] : may.change ? ['approve', 'reject'] : [];
  return (
    <section className="jp-nbreg-Request" aria-label={trans.__('Request %1', request.id)}>
      <div>
        {trans.__('%1 asks for', request.by)} {withVersion && (
          <>
            <To place={{ kind: 'version', ref }}>{`${request.model} ${request.name || `#${request.version}`}`}</To> →{' '}
          </>
        )}
        <Stage stage={request.to} /> <span className="jp-nbreg-quiet"><When at={request.at} /></span>
      </div>
      {request.message && <div className="jp-nbreg-Said">{request.message}</div>}
      {request.approvals.length > 0 && (
        <div className="jp-nbreg-quiet">{trans.__('approved by %1', request.approvals.map(each => each.by).join(', '))}</div>
      )}
      {offered.length > 0 && (
        <div className="jp-nbreg-Actions">
          {offered.map(each => (
            <button key={each} className="jp-nbreg-Link" aria-expanded={verb === each} onClick={() => setVerb(verb === each ? null : each)}>
              {verbs[each]}
            </button>
          ))}
        </div>
      )}
      {verb && (
        <Form
          key={verb}
          title={`${verbs[verb]}: ${request.id}`}
          verb={verbs[verb]}
          told={
            verb === 'approve' && (
              <>
                {move && foretold(move, trans).split(' · ').map(each => <div key={each}>{each}</div>)}
                {trans.__('It is promoted as soon as it passes all that the stage requires.')}
              </>
            )
          }
          act={acts[verb]}
          onDone={() => {
            setVerb(null);
            onDone();
          }}
          onCancel={() => setVerb(null)}
          onConflict={onDone}
        />
      )}
    </section>
  );
}
