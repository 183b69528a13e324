import React, { useState } from 'react';

import type { IDeployment, ILink, IVersionItem } from '../contract';
import { byNumber } from '../words';
import { Form } from './form';
import { Told, useSurroundings, When } from './parts';
import { useMay } from './permitted';
import { Outside, To, webPage } from './way';

interface IOfVersion {
  item: IVersionItem;
  onChanged: () => void;
}

/** What is outside and belongs to a version: tickets, reports, business cases. */
export function Links({ item, links, onChanged }: IOfVersion & { links: ReadonlyArray<ILink> }): JSX.Element {
  const { service, trans } = useSurroundings();
  const [doing, setDoing] = useState<'add' | number | null>(null);
  const isWritable = useMay().change;
  const done = {
    onDone: () => {
      setDoing(null);
      onChanged();
    },
    onCancel: () => setDoing(null)
  };
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
                <button
                  className="jp-nbreg-Remove"
                  title={trans.__('Take away')}
                  aria-label={trans.__('Take the link %1 away', each.title || each.target)}
                  aria-expanded={doing === each.id}
                  onClick={() => setDoing(doing === each.id ? null : each.id)}
                >
                  ×
                </button>
              )}
            </div>
            {doing === each.id && (
              <Form
                title={trans.__('Take the link away')}
                verb={trans.__('Take away')}
                told={trans.__('The events still tell of it.')}
                act={why => service.ask('unlink', { ...why, ref: byNumber(item), target: each.id })}
                {...done}
              />
            )}
          </li>
        ))}
      </ul>
      {isWritable && (
        <button className="jp-nbreg-Link" aria-expanded={doing === 'add'} onClick={() => setDoing(doing === 'add' ? null : 'add')}>
          {trans.__('Add a link…')}
        </button>
      )}
      {doing === 'add' && <AddLink item={item} {...done} />}
    </>
  );
}

interface IDone {
  onDone: () => void;
  onCancel: () => void;
}

function AddLink({ item, onDone, onCancel }: IDone & { item: IVersionItem }): JSX.Element {
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
      onDone={onDone}
      onCancel={onCancel}
    >
      <label>
        {trans.__('Address, path or words')}
        <input className="jp-mod-styled" value={target} placeholder="https://tickets.example/4711" onChange={event => setTarget(event.target.value)} />
      </label>
      <label>
        {trans.__('Title')}
        <input className="jp-mod-styled" value={title} onChange={event => setTitle(event.target.value)} />
      </label>
      <label>
        {trans.__('Kind')}
        <input className="jp-mod-styled" value={kind} placeholder={trans.__('ticket, report, dashboard')} onChange={event => setKind(event.target.value)} />
      </label>
    </Form>
  );
}

/** Where versions are at work, as people and pipelines said: where, since when, by whom. */
export function AtWork({
  deployments,
  withVersion = false,
  onChanged
}: {
  deployments: ReadonlyArray<IDeployment>;
  withVersion?: boolean;
  onChanged: () => void;
}): JSX.Element | null {
  const { service, trans } = useSurroundings();
  const isWritable = useMay().change;
  const [ending, setEnding] = useState<string | null>(null);
  if (deployments.length === 0) {
    return null;
  }
  return (
    <ul className="jp-nbreg-Rows" aria-label={trans.__('At work')}>
      {deployments.map(each => {
        const key = `${each.model} ${each.number} ${each.id}`;
        const ref = `${each.model}@${each.number}`;
        return (
          <li key={key}>
            <div className="jp-nbreg-Row">
              <span>
                <span className={`jp-nbreg-Dot jp-nbreg-mod-${each.status}`} aria-hidden="true" /> <b>{each.where}</b>{' '}
                {withVersion && <To place={{ kind: 'version', ref }}>{ref}</To>} {each.status !== 'serving' && each.status}{' '}
                {each.url && <Outside target={each.url}>{webPage(each.url)?.host}</Outside>}
              </span>
              {isWritable && each.status !== 'ended' && (
                <button
                  className="jp-nbreg-Link"
                  aria-label={trans.__('End: %1 at %2…', ref, each.where)}
                  aria-expanded={ending === key}
                  onClick={() => setEnding(ending === key ? null : key)}
                >
                  {trans.__('end…')}
                </button>
              )}
            </div>
            <div className="jp-nbreg-quiet">
              <When at={each.since} /> {trans.__('by %1', each.by)}
              {each.reason && ` · ${each.reason}`}
              {each.ended && (
                <>
                  {' · '}
                  {each.replaced_by === null ? trans.__('ended') : trans.__('replaced by #%1', each.replaced_by)} <When at={each.ended} />
                </>
              )}
            </div>
            {each.message && <div className="jp-nbreg-Said">{each.message}</div>}
            {ending === key && (
              <Form
                title={trans.__('%1 is at work at %2 no longer', ref, each.where)}
                verb={trans.__('End')}
                told={trans.__('This records it; nothing is stopped there.')}
                act={why => service.ask('undeploy', { ...why, ref, where: each.where })}
                onDone={() => {
                  setEnding(null);
                  onChanged();
                }}
                onCancel={() => setEnding(null)}
              />
            )}
          </li>
        );
      })}
    </ul>
  );
}

/** Where this version is at work, and saying that it is somewhere. */
export function Deployments({ item, deployments, onChanged }: IOfVersion & { deployments: ReadonlyArray<IDeployment> }): JSX.Element {
  const { trans } = useSurroundings();
  const isWritable = useMay().change;
  const [isAdding, setAdding] = useState(false);
  const done = {
    onDone: () => {
      setAdding(false);
      onChanged();
    },
    onCancel: () => setAdding(false)
  };
  return (
    <>
      {deployments.length === 0 && (
        <Told quiet>{trans.__('Nobody said that it is at work anywhere. Pipelines record it with `nbreg deploy %1 prod-eu`, people here.', item.ref)}</Told>
      )}
      <AtWork deployments={deployments} onChanged={onChanged} />
      {isWritable && (
        <button className="jp-nbreg-Link" aria-expanded={isAdding} onClick={() => setAdding(!isAdding)}>
          {trans.__('Record where it is at work…')}
        </button>
      )}
      {isAdding && <Deploy item={item} {...done} />}
    </>
  );
}

const STATUSES = ['serving', 'pending', 'failed'] as const;

function Deploy({ item, onDone, onCancel }: IDone & { item: IVersionItem }): JSX.Element {
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
      onDone={onDone}
      onCancel={onCancel}
    >
      <label>
        {trans.__('Where')}
        <input className="jp-mod-styled" value={where} placeholder="prod-eu" onChange={event => setWhere(event.target.value)} />
      </label>
      <label>
        {trans.__('Address')}
        <input className="jp-mod-styled" value={url} placeholder="https://churn.example" onChange={event => setUrl(event.target.value)} />
      </label>
      <label>
        {trans.__('Status')}
        <select className="jp-mod-styled" value={status} onChange={event => setStatus(event.target.value as (typeof STATUSES)[number])}>
          {STATUSES.map(each => (
            <option key={each}>{each}</option>
          ))}
        </select>
      </label>
      <label className="jp-nbreg-Check">
        <input type="checkbox" checked={alongside} onChange={event => setAlongside(event.target.checked)} />
        {trans.__('beside what is there already')}
      </label>
    </Form>
  );
}
