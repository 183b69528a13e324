import React, { useState } from 'react';

import type { IDeployment, ILink, IVersionItem } from '../contract';
import { byNumber } from '../words';
import { Toggle, useDoing, type IDoing, type IDone } from './doing';
import { Check, Choice, Field } from './fields';
import { Form } from './form';
import { Told, useSurroundings, When } from './parts';
import { OfEach, useMay } from './permitted';
import { Outside, To, webPage } from './way';

interface IOfVersion {
  item: IVersionItem;
  onChanged: () => void;
}

/** What is outside and belongs to a version: tickets, reports, business cases. */
export function Links({ item, links, onChanged }: IOfVersion & { links: ReadonlyArray<ILink> }): JSX.Element {
  const { service, trans } = useSurroundings();
  const doing = useDoing<'add' | number>(onChanged);
  const isWritable = useMay().change;
  return (
    <>
      {links.length === 0 && (
        <p className="jp-nbreg-quiet">{trans.__('A ticket, a report, a business case: what explains this version and stands elsewhere.')}</p>
      )}
      <ul className="jp-nbreg-Rows" aria-label={trans.__('Links')}>
        {links.map(each => (
          <li key={each.id}>
            <div className="jp-nbreg-Row">
              <span>
                <span className="jp-nbreg-quiet">{each.kind}</span> <Outside target={each.target}>{each.title || each.target}</Outside>
                {each.title && <span className="jp-nbreg-quiet"> {webPage(each.target)?.host ?? each.target}</span>}
              </span>
              {isWritable && (
                <Toggle doing={doing} opens={each.id} className="jp-nbreg-Remove" title={trans.__('Take away')} label={trans.__('Take the link %1 away', each.title || each.target)}>
                  ×
                </Toggle>
              )}
            </div>
            {doing.what === each.id && (
              <Form
                title={trans.__('Take the link away')}
                verb={trans.__('Take away')}
                told={trans.__('The events still tell of it.')}
                act={why => service.ask('unlink', { ...why, ref: byNumber(item), target: each.id })}
                {...doing.form}
              />
            )}
          </li>
        ))}
      </ul>
      {isWritable && (
        <Toggle doing={doing} opens="add">
          {trans.__('Add a link…')}
        </Toggle>
      )}
      {doing.what === 'add' && <AddLink item={item} {...doing.form} />}
    </>
  );
}

function AddLink({ item, ...done }: IDone & { item: IVersionItem }): JSX.Element {
  const { service, trans } = useSurroundings();
  const [target, setTarget] = useState('');
  const [title, setTitle] = useState('');
  const [kind, setKind] = useState('ticket');
  return (
    <Form
      title={trans.__('A link of %1', item.ref)}
      verb={trans.__('Add')}
      isReady={target.trim() !== '' && kind.trim() !== ''}
      act={why => service.ask('link', { ...why, ref: byNumber(item), target: target.trim(), kind: kind.trim(), title: title.trim() })}
      {...done}
    >
      <Field label={trans.__('Address, path or words')} value={target} placeholder="https://tickets.example/4711" onText={setTarget} />
      <Field label={trans.__('Title')} value={title} onText={setTitle} />
      <Field label={trans.__('Kind')} value={kind} placeholder={trans.__('ticket, report, dashboard')} onText={setKind} />
    </Form>
  );
}

interface IAtWork {
  deployments: ReadonlyArray<IDeployment>;
  withVersion?: boolean;
  /** They are of all models, on a page about none of them. */
  ofAll?: boolean;
  onChanged: () => void;
}

/** Where versions are at work, as people and pipelines said: where, since when, by whom. */
export function AtWork({ deployments, withVersion = false, ofAll = false, onChanged }: IAtWork): JSX.Element | null {
  const { trans } = useSurroundings();
  const doing = useDoing<string>(onChanged);
  const place = (each: IDeployment): JSX.Element => {
    const key = `${each.model} ${each.number} ${each.id}`;
    return <Place key={key} id={key} deployment={each} withVersion={withVersion || ofAll} doing={doing} />;
  };
  return deployments.length === 0 ? null : (
    <ul className="jp-nbreg-Rows" aria-label={trans.__('At work')}>
      {ofAll ? <OfEach items={deployments}>{place}</OfEach> : deployments.map(place)}
    </ul>
  );
}

interface IPlace {
  /** What the form that ends it is known by. */
  id: string;
  deployment: IDeployment;
  withVersion: boolean;
  doing: IDoing<string>;
}

/** A place where a version is at work, or was. */
function Place({ id, deployment, withVersion, doing }: IPlace): JSX.Element {
  const { service, trans } = useSurroundings();
  const isWritable = useMay().change;
  const { model, number, where, status, url } = deployment;
  const ref = `${model}@${number}`;
  return (
    <li>
      <div className="jp-nbreg-Row">
        <span>
          <span className={`jp-nbreg-Dot jp-nbreg-mod-${status}`} aria-hidden="true" /> <b>{where}</b> {withVersion && <To place={{ kind: 'version', ref }}>{ref}</To>}{' '}
          {status !== 'serving' && status} {url && <Outside target={url}>{webPage(url)?.host}</Outside>}
        </span>
        {isWritable && status !== 'ended' && (
          <Toggle doing={doing} opens={id} label={trans.__('End: %1 at %2…', ref, where)}>
            {trans.__('end…')}
          </Toggle>
        )}
      </div>
      <Since deployment={deployment} />
      {deployment.message && <div className="jp-nbreg-Said">{deployment.message}</div>}
      {doing.what === id && (
        <Form
          title={trans.__('%1 is at work at %2 no longer', ref, where)}
          verb={trans.__('End')}
          told={trans.__('This records it; nothing is stopped there.')}
          act={why => service.ask('undeploy', { ...why, ref, where })}
          {...doing.form}
        />
      )}
    </li>
  );
}

function Since({ deployment: { since, by, reason, ended, replaced_by } }: { deployment: IDeployment }): JSX.Element {
  const { trans } = useSurroundings();
  return (
    <div className="jp-nbreg-quiet">
      <When at={since} /> {trans.__('by %1', by)}
      {reason && ` · ${reason}`}
      {ended && (
        <>
          {' · '}
          {replaced_by === null ? trans.__('ended') : trans.__('replaced by #%1', replaced_by)} <When at={ended} />
        </>
      )}
    </div>
  );
}

/** Where this version is at work, and saying that it is somewhere. */
export function Deployments({ item, deployments, onChanged }: IOfVersion & { deployments: ReadonlyArray<IDeployment> }): JSX.Element {
  const { trans } = useSurroundings();
  const isWritable = useMay().change;
  const doing = useDoing<'deploy'>(onChanged);
  return (
    <>
      {deployments.length === 0 && (
        <Told quiet>{trans.__('Nobody said that it is at work anywhere. Pipelines record it with `nbreg deploy %1 prod-eu`, people here.', item.ref)}</Told>
      )}
      <AtWork deployments={deployments} onChanged={onChanged} />
      {isWritable && (
        <Toggle doing={doing} opens="deploy">
          {trans.__('Record where it is at work…')}
        </Toggle>
      )}
      {doing.what === 'deploy' && <Deploy item={item} {...doing.form} />}
    </>
  );
}

const STATUSES = ['serving', 'pending', 'failed'] as const;

function Deploy({ item, ...done }: IDone & { item: IVersionItem }): JSX.Element {
  const { service, trans } = useSurroundings();
  const [where, setWhere] = useState('');
  const [url, setUrl] = useState('');
  const [status, setStatus] = useState<(typeof STATUSES)[number]>('serving');
  const [alongside, setAlongside] = useState(false);
  return (
    <Form
      title={trans.__('%1 is at work', item.ref)}
      verb={trans.__('Record')}
      told={trans.__('This records it; nbreg itself deploys nothing. What was at work there ends, unless both are.')}
      isReady={where.trim() !== ''}
      act={why => service.ask('deploy', { ...why, ref: byNumber(item), where: where.trim(), url: url.trim(), status, alongside })}
      {...done}
    >
      <Field label={trans.__('Where')} value={where} placeholder="prod-eu" onText={setWhere} />
      <Field label={trans.__('Address')} value={url} placeholder="https://churn.example" onText={setUrl} />
      <Choice label={trans.__('Status')} value={status} choices={STATUSES} onChoose={setStatus} />
      <Check className="jp-nbreg-Check" label={trans.__('beside what is there already')} checked={alongside} onCheck={setAlongside} />
    </Form>
  );
}
