import React, { useState } from 'react';

import type { IPromotionRequest, IVersionItem } from '../contract';
import { Form } from './acting';
import { Stage, useAnswer, useSurroundings, When } from './parts';

type Verb = 'approve' | 'reject' | 'withdraw';

/** What others are asked to agree to before this version moves, and saying yes or no to it. */
export function Requests({ item, onChanged }: { item: IVersionItem; onChanged: () => void }): JSX.Element | null {
  const { service } = useSurroundings();
  const { answer, again } = useAnswer('requests', { model: item.model, state: 'open' }, item.model);
  const open = (answer ?? []).filter(each => each.version === item.version.number);
  return open.length === 0 ? null : (
    <>
      {open.map(each => (
        <Request
          key={each.id}
          request={each}
          isWritable={service.registry?.writable ?? false}
          onDone={() => {
            again();
            onChanged();
          }}
        />
      ))}
    </>
  );
}

function Request({ request, isWritable, onDone }: { request: IPromotionRequest; isWritable: boolean; onDone: () => void }): JSX.Element {
  const { service, trans } = useSurroundings();
  const [verb, setVerb] = useState<Verb | null>(null);
  const isMine = service.hello?.actor.user === request.by;
  const verbs: { [verb in Verb]: string } = { approve: trans.__('Approve'), reject: trans.__('Reject'), withdraw: trans.__('Withdraw') };
  const offered: Verb[] = isMine ? ['withdraw'] : ['approve', 'reject'];
  return (
    <section className="jp-nbreg-Request" aria-label={trans.__('Request %1', request.id)}>
      <div>
        {trans.__('%1 asks for', request.by)} <Stage stage={request.to} /> <span className="jp-nbreg-quiet"><When at={request.at} /></span>
      </div>
      {request.message && <div className="jp-nbreg-Said">{request.message}</div>}
      {request.approvals.length > 0 && (
        <div className="jp-nbreg-quiet">{trans.__('approved by %1', request.approvals.map(each => each.by).join(', '))}</div>
      )}
      {isWritable && (
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
          told={verb === 'approve' ? trans.__('It is promoted as soon as it passes all that the stage requires.') : undefined}
          act={why => service.ask(verb, { ...why, request: request.id })}
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
