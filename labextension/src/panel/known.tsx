import { copyIcon } from '@jupyterlab/ui-components';
import React, { useState } from 'react';

import type { IManifest, IVersionDetail, IVersionItem } from '../contract';
import { byNumber, className, exactly, label, proofLine, runName, shown, size } from '../words';
import { Deployments, Links } from './belonging';
import { Captured } from './captured';
import { VersionEvents } from './events';
import { Lineage } from './lineage';
import { Facts, Section, useAnswer, useSurroundings, When } from './parts';
import { To } from './way';

/** Facts that never change, and what was found out later. */
export function Known({ detail: { item, manifest, pinned } }: { detail: IVersionDetail }): JSX.Element {
  const { trans, copyText } = useSurroundings();
  const [isCopied, setCopied] = useState(false);
  const { version } = item;
  const copy = (): void => {
    copyText(pinned);
    setCopied(true);
  };
  return (
    <Facts
      rows={[
        [trans.__('model'), <span title={version.type}>{className(version)}</span>],
        [trans.__('evidence'), proofLine(item.proof, trans)],
        [
          trans.__('registered'),
          <span title={exactly(version.created)}>
            <When at={version.created} /> {trans.__('by %1', version.actor)}
          </span>
        ],
        [trans.__('run'), manifest?.run ? <To place={{ kind: 'run', run: manifest.run.id }}>{runName(manifest.run)}</To> : ''],
        [trans.__('size'), version.size ? size(version.size) : ''],
        [trans.__('held'), version.stages_held.join(', ')],
        [trans.__('purged'), version.purged],
        [
          trans.__('id'),
          <span className="jp-nbreg-Id">
            <code>{version.id.slice(0, 12)}</code>
            <button title={trans.__('Copy the reference that never moves')} aria-label={trans.__('Copy the reference that never moves')} onClick={copy}>
              <copyIcon.react tag="span" width="14px" height="14px" />
            </button>
            <span role="status" className="jp-nbreg-quiet">
              {isCopied ? trans.__('Copied.') : ''}
            </span>
          </span>
        ]
      ]}
    />
  );
}

/** What is read when it is opened. */
export function Parts({ detail, onChanged }: { detail: IVersionDetail; onChanged: () => void }): JSX.Element {
  const { trans } = useSurroundings();
  const { item, manifest, links, deployments } = detail;
  const current = deployments.filter(each => !each.ended);
  return (
    <>
      <Section title={trans.__('Links')} count={links.length || ''} isOpen={links.length > 0}>
        {() => <Links item={item} links={links} onChanged={onChanged} />}
      </Section>
      <Section title={trans.__('At work')} count={current.length || ''} isOpen={current.length > 0}>
        {() => <Deployments item={item} deployments={deployments} onChanged={onChanged} />}
      </Section>
      <Section title={trans.__('Lineage')}>{() => <Lineage id={byNumber(item)} model={item.model} />}</Section>
      <Content item={item} manifest={manifest} />
      {manifest ? <Captured manifest={manifest} id={byNumber(item)} /> : <p className="jp-nbreg-quiet">{detail.missing}</p>}
      <Section title={trans.__('Events')}>{() => <VersionEvents model={item.model} number={item.version.number} />}</Section>
    </>
  );
}

/** The numbers that it is judged by. */
export function Metrics({ item }: { item: IVersionItem }): JSX.Element | null {
  const { trans } = useSurroundings();
  const metrics = Object.entries(item.version.metrics);
  if (metrics.length === 0) {
    return null;
  }
  return (
    <ul className="jp-nbreg-Metrics" aria-label={trans.__('Metrics')}>
      {metrics.map(([name, value]) => (
        <li key={name}>
          <span className="jp-nbreg-quiet">{name}</span>
          <b className="jp-nbreg-Number" title={String(value)}>
            {shown(value)}
          </b>
        </li>
      ))}
    </ul>
  );
}

/** What somebody keeps with it as JSON. */
function Content({ item, manifest }: { item: IVersionItem; manifest: IManifest | null }): JSX.Element | null {
  const { trans } = useSurroundings();
  const content = item.version.content ?? manifest?.content ?? {};
  const entries = Object.entries(content);
  return entries.length === 0 ? null : (
    <Section title={trans.__('Content')} count={entries.length}>
      {() => <Facts rows={entries.map(([name, value]) => [name, typeof value === 'object' ? <pre>{JSON.stringify(value, null, 2)}</pre> : shown(value)])} />}
    </Section>
  );
}

/** Leads to what differs from another version of the model. */
export function Compare({ item, onCompare }: { item: IVersionItem; onCompare: (a: string, b: string) => void }): JSX.Element | null {
  const { trans } = useSurroundings();
  const { answer } = useAnswer('versions', { model: item.model, limit: 100 }, item.model);
  const others = (answer?.versions ?? []).filter(each => each.version.number !== item.version.number);
  if (others.length === 0) {
    return null;
  }
  // Told from the older to the newer one, whichever was looked at first.
  const compare = (other: number): void => {
    const { number } = item.version;
    onCompare(`${item.model}@${Math.max(number, other)}`, `${item.model}@${Math.min(number, other)}`);
  };
  return (
    <label className="jp-nbreg-Compare">
      {trans.__('Compare with')}
      <select className="jp-mod-styled" value="" onChange={event => compare(Number(event.target.value))}>
        <option value="">{trans.__('choose…')}</option>
        {others.map(each => (
          <option key={each.version.number} value={each.version.number}>
            {[label(each.version), each.version.stage === 'none' ? '' : each.version.stage, ...each.aliases].filter(Boolean).join(' · ')}
          </option>
        ))}
      </select>
    </label>
  );
}
