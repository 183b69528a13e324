import React from 'react';

import type { IPromotionRequest, IVersionItem } from '../contract';
import { Toggle, useDoing, type IDone } from './doing';
import { Form } from './form';
import { Foretold } from './moves';
import { Pending, Stage, useAnswer, useSurroundings, When } from './parts';
import { OfEach, useMay } from './permitted';
import { To } from './way';

type Verb = 'approve' | 'reject' | 'withdraw';

/** What others are asked to agree to before this version moves, and saying yes or no to it. */
export function Requests({ item, onChanged }: { item: IVersionItem; onChanged: () => void }): JSX.Element | null {
  const { answer, again } = useAnswer('requests', { model: item.model, state: 'open' }, item.model);
  const open = (answer ?? []).filter(each => each.version === item.version.number);
  const changed = (): void => {
    again();
    onChanged();
  };
  return open.length === 0 ? null : (
    <>
      {open.map(each => (
        <Request key={each.id} request={each} onChanged={changed} />
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
  const line = (each: IPromotionRequest): JSX.Element => <Request key={each.id} request={each} withVersion onChanged={again} />;
  return (
    <div className="jp-nbreg-Requests" role="group" aria-label={trans.__('Requests that wait for an answer')}>
      {model === undefined ? <OfEach items={answer}>{line}</OfEach> : answer.map(line)}
    </div>
  );
}

interface IRequestProps {
  request: IPromotionRequest;
  withVersion?: boolean;
  onChanged: () => void;
}

function Request({ request, withVersion = false, onChanged }: IRequestProps): JSX.Element {
  const { service, trans } = useSurroundings();
  const doing = useDoing<Verb>(onChanged);
  const may = useMay();
  const isMine = service.hello?.actor.user === request.by;
  const offered: Verb[] = !may.look ? [] : isMine ? ['withdraw'] : may.change ? ['approve', 'reject'] : [];
  const verbs: { [verb in Verb]: string } = { approve: trans.__('Approve'), reject: trans.__('Reject'), withdraw: trans.__('Withdraw') };
  return (
    <section className="jp-nbreg-Request" aria-label={trans.__('Request %1', request.id)}>
      <div>
        {trans.__('%1 asks for', request.by)} {withVersion && <Subject request={request} />}
        <Stage stage={request.to} />{' '}
        <span className="jp-nbreg-quiet">
          <When at={request.at} />
        </span>
      </div>
      {request.message && <div className="jp-nbreg-Said">{request.message}</div>}
      {request.approvals.length > 0 && (
        <div className="jp-nbreg-quiet">{trans.__('approved by %1', request.approvals.map(each => each.by).join(', '))}</div>
      )}
      {offered.length > 0 && (
        <div className="jp-nbreg-Actions">
          {offered.map(each => (
            <Toggle key={each} doing={doing} opens={each}>
              {verbs[each]}
            </Toggle>
          ))}
        </div>
      )}
      {doing.what === 'approve' && <Approve request={request} onConflict={onChanged} {...doing.form} />}
      {(doing.what === 'reject' || doing.what === 'withdraw') && <Refuse key={doing.what} verb={doing.what} request={request} onConflict={onChanged} {...doing.form} />}
    </section>
  );
}

/** The version that it is about, which has a page of its own. */
function Subject({ request: { model, version, name } }: { request: IPromotionRequest }): JSX.Element {
  return (
    <>
      <To place={{ kind: 'version', ref: `${model}@${version}` }}>{`${model} ${name || `#${version}`}`}</To> →{' '}
    </>
  );
}

interface IAnswer extends IDone {
  request: IPromotionRequest;
  onConflict: () => void;
}

/** Agree to what is shown, and to nothing else: what that would do by now is read first, and goes along. */
function Approve({ request, ...done }: IAnswer): JSX.Element {
  const { service, trans } = useSurroundings();
  const { answer, failure, again } = useAnswer('version', { ref: `${request.model}@${request.version}` }, request.model);
  const move = answer?.moves.find(each => each.kind === 'promoted' && each.to === request.to);
  return (
    <Form
      title={trans.__('Approve: %1', request.id)}
      verb={trans.__('Approve')}
      isReady={move !== undefined}
      told={
        move ? (
          <>
            <Foretold move={move} />
            {trans.__('It is promoted as soon as it passes all that the stage requires.')}
          </>
        ) : answer ? (
          trans.__('It was moved meanwhile; it cannot go there from where it is now.')
        ) : (
          <Pending failure={failure} onAgain={again} />
        )
      }
      act={why => service.ask('approve', { ...why, request: request.id, expect: move ?? null })}
      {...done}
    />
  );
}

/** Say no to it, or take it back. */
function Refuse({ request, verb, ...done }: IAnswer & { verb: 'reject' | 'withdraw' }): JSX.Element {
  const { service, trans } = useSurroundings();
  return (
    <Form
      title={verb === 'reject' ? trans.__('Reject: %1', request.id) : trans.__('Withdraw: %1', request.id)}
      verb={verb === 'reject' ? trans.__('Reject') : trans.__('Withdraw')}
      act={why => (verb === 'reject' ? service.ask('reject', { ...why, request: request.id }) : service.ask('withdraw', { ...why, request: request.id }))}
      {...done}
    />
  );
}
