import { copyIcon, ellipsesIcon } from '@jupyterlab/ui-components';
import React, { useEffect, useRef, useState } from 'react';

import type { IManifest, IVersionItem } from '../contract';
import type { Refusal } from '../service';
import { byNumber, className, exactly, label, proofLine, runName, shown, size } from '../words';
import { Copy, Delete, DropAlias, Edit, Moves, Restore, SetAlias, Transfer } from './acting';
import { Deployments, Links } from './belonging';
import { Captured } from './captured';
import { VersionEvents } from './events';
import { Lineage } from './lineage';
import { Lock } from './model';
import { Facts, Failure, Section, Stage, useAnswer, useSurroundings, When } from './parts';
import { Limits, OfModel, useMay, useModel } from './permitted';
import { Requests } from './requests';
import { To, useGo } from './way';

type Doing = 'edit' | 'alias' | 'delete' | 'copy' | 'transfer' | `drop ${string}` | `move ${string}` | null;

interface IVersion {
  reference: string;
  onCompare: (a: string, b: string) => void;
}

/** The version that a reference means now. Should the reference move on, this page, and what is typed in it, does not. */
export function Version({ reference, onCompare }: IVersion): JSX.Element {
  const { trans } = useSurroundings();
  const isFixed = /@\d+$/.test(reference);
  const { answer, failure, again } = useAnswer('version', isFixed ? null : { ref: reference }, null);
  const found = isFixed ? reference : answer && byNumber(answer.item);
  if (!found) {
    return failure ? <Failure refusal={failure} onAgain={again} /> : <p className="jp-nbreg-quiet">{trans.__('Reading…')}</p>;
  }
  return (
    <OfModel model={found.slice(0, found.indexOf('@'))}>
      <Detail key={found} reference={found} onCompare={onCompare} />
    </OfModel>
  );
}

/** All there is to say about a version, and all that can be done with it. */
function Detail({ reference, onCompare }: IVersion): JSX.Element {
  const { service, trans, insertCode, showCell, copyText } = useSurroundings();
  const model = reference.slice(0, reference.indexOf('@'));
  const { answer, failure, again } = useAnswer('version', { ref: reference }, model);
  const guarded = useModel().answer?.protected ?? {};
  const go = useGo();
  const may = useMay();
  const isWritable = may.change;
  const [doing, setDoing] = useState<Doing>(null);
  const [hasMore, setMore] = useState(false);
  const [said, setSaid] = useState('');
  const heading = useRef<HTMLHeadingElement>(null);
  const isThere = answer !== null;
  useEffect(() => heading.current?.focus(), [isThere, reference]);
  if (!answer) {
    if (failure?.code === 'unknown-version') {
      return <Deleted reference={reference} failure={failure} onRestored={again} />;
    }
    return failure ? <Failure refusal={failure} onAgain={again} /> : <p className="jp-nbreg-quiet">{trans.__('Reading…')}</p>;
  }
  const { item, manifest, pinned } = answer;
  const { version } = item;
  const current = answer.deployments.filter(each => !each.ended);
  const form = {
    item,
    onDone: () => {
      setDoing(null);
      again();
    },
    onCancel: () => setDoing(null)
  };
  const button = (what: Doing, text: string): JSX.Element => (
    <button className="jp-nbreg-Link" aria-expanded={doing === what} onClick={() => setDoing(doing === what ? null : what)}>
      {text}
    </button>
  );
  const copy = (): void => {
    copyText(pinned);
    setSaid(trans.__('Copied.'));
  };
  return (
    <article className="jp-nbreg-Detail">
      <h2 tabIndex={-1} ref={heading}>
        <To place={{ kind: 'model', model: item.model }} title={trans.__('About this model')}>
          {item.model}
        </To>{' '}
        <b>{label(version)}</b> <span className="jp-nbreg-quiet">#{version.number}</span>
      </h2>
      <div className="jp-nbreg-Line">
        <Stage stage={version.stage} />
        {item.aliases.map(each => (
          <span key={each} className="jp-nbreg-Alias">
            {Object.hasOwn(guarded, each) && <Lock />}
            {each}
            {isWritable && (
              <button aria-label={trans.__('Take the alias %1 away', each)} title={trans.__('Take away')} onClick={() => setDoing(`drop ${each}`)}>
                ×
              </button>
            )}
          </span>
        ))}
        {version.tags.map(each => (
          <span key={each} className="jp-nbreg-Tag">
            {each}
          </span>
        ))}
      </div>
      {(version.message || version.description) && (
        <div className="jp-nbreg-Said">
          {version.message && <p>{version.message}</p>}
          {version.description && <p className="jp-nbreg-Description">{version.description}</p>}
        </div>
      )}
      <Limits />
      {may.look && <Moves item={item} moves={answer.moves} chosen={doing?.startsWith('move ') ? doing.slice(5) : null} onChoose={move => setDoing(move === null ? null : `move ${move}`)} onChanged={again} />}
      <Requests item={item} moves={answer.moves} onChanged={again} />
      <div className="jp-nbreg-Actions">
        <button
          className="jp-nbreg-Link"
          title={trans.__('Put the code that loads this version into the notebook')}
          onClick={() => setSaid(insertCode(item.ref) || trans.__('Inserted.'))}
        >
          {trans.__('Insert code to load')}
        </button>
        <button className="jp-nbreg-Link" title={trans.__('Open the notebook that made it, at that cell')} onClick={() => void showCell(byNumber(item)).then(setSaid)}>
          {trans.__('Go to its cell')}
        </button>
        {isWritable && (
          <>
            {button('alias', trans.__('Add alias'))}
            {button('edit', trans.__('Edit'))}
          </>
        )}
        <button className="jp-nbreg-Tool" aria-expanded={hasMore} aria-label={trans.__('More')} title={trans.__('More')} onClick={() => setMore(!hasMore)}>
          <ellipsesIcon.react tag="span" width="16px" height="16px" />
        </button>
      </div>
      {hasMore && (
        <div className="jp-nbreg-Actions" role="group" aria-label={trans.__('More to do with this version')}>
          <a className="jp-nbreg-Link" href={service.link('archive', { ref: byNumber(item) })} download title={trans.__('As one file, which another registry takes in')}>
            {trans.__('Download')}
          </a>
          <a className="jp-nbreg-Link" href={service.link('files', { ref: byNumber(item) })} download title={trans.__('As ordinary files that need no nbreg, in a zip')}>
            {trans.__('Download as files')}
          </a>
          {isWritable && (
            <>
              {button('copy', trans.__('Copy'))}
              {button('transfer', trans.__('Move to another model'))}
              {button('delete', trans.__('Delete'))}
            </>
          )}
        </div>
      )}
      <div role="status" className="jp-nbreg-quiet">
        {said}
      </div>
      {doing === 'edit' && <Edit {...form} manifest={manifest} />}
      {doing === 'alias' && <SetAlias {...form} guarded={guarded} />}
      {doing === 'copy' && <Copy {...form} />}
      {doing === 'transfer' && <Transfer {...form} onMoved={ref => go({ kind: 'version', ref })} />}
      {doing === 'delete' && <Delete {...form} />}
      {doing?.startsWith('drop ') && <DropAlias key={doing} {...form} model={item.model} alias={doing.slice(5)} guarded={guarded} />}
      <Metrics item={item} />
      {version.bump_reason && <p className="jp-nbreg-quiet">{version.bump_reason}</p>}
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
            'id',
            <span className="jp-nbreg-Id">
              <code>{version.id.slice(0, 12)}</code>
              <button title={trans.__('Copy the reference that never moves')} aria-label={trans.__('Copy the reference that never moves')} onClick={copy}>
                <copyIcon.react tag="span" width="14px" height="14px" />
              </button>
            </span>
          ]
        ]}
      />
      <Compare item={item} onCompare={onCompare} />
      <Section title={trans.__('Links')} count={answer.links.length || ''} isOpen={answer.links.length > 0}>
        {() => <Links item={item} links={answer.links} onChanged={again} />}
      </Section>
      <Section title={trans.__('At work')} count={current.length || ''} isOpen={current.length > 0}>
        {() => <Deployments item={item} deployments={answer.deployments} onChanged={again} />}
      </Section>
      <Section title={trans.__('Lineage')}>{() => <Lineage id={byNumber(item)} model={item.model} />}</Section>
      <Content item={item} manifest={manifest} />
      {manifest ? <Captured manifest={manifest} id={byNumber(item)} /> : <p className="jp-nbreg-quiet">{answer.missing}</p>}
      <Section title={trans.__('Events')}>{() => <VersionEvents model={item.model} number={version.number} />}</Section>
    </article>
  );
}

/** A version that is hidden: who did that and why, and how it comes back. */
function Deleted({ reference, failure, onRestored }: { reference: string; failure: Refusal; onRestored: () => void }): JSX.Element {
  const isWritable = useMay().change;
  const { trans } = useSurroundings();
  const [model, which] = [reference.slice(0, reference.indexOf('@')), reference.slice(reference.indexOf('@') + 1)];
  const isNumber = /^\d+$/.test(which);
  const { answer } = useAnswer('versions', isNumber ? { model, query: `number == ${which}`, deleted: true, limit: 1 } : null, model);
  const [isRestoring, setRestoring] = useState(false);
  const item = answer?.versions[0];
  const deleted = item?.version.deleted;
  if (!item || !deleted) {
    return <Failure refusal={failure} />;
  }
  return (
    <article className="jp-nbreg-Detail">
      <h2>
        {item.model} <b>{label(item.version)}</b> <span className="jp-nbreg-quiet">#{item.version.number}</span>
      </h2>
      <Facts
        rows={[
          [item.version.moved_to ? trans.__('moved to') : trans.__('deleted'), item.version.moved_to || <When at={deleted.at} />],
          [trans.__('by'), deleted.by],
          [trans.__('reason'), deleted.reason],
          [trans.__('purged'), item.version.purged],
          [trans.__('message'), item.version.message]
        ]}
      />
      {isWritable && !item.version.moved_to && !isRestoring && (
        <div className="jp-nbreg-Actions">
          <button className="jp-nbreg-Link" onClick={() => setRestoring(true)}>
            {trans.__('Restore')}
          </button>
        </div>
      )}
      {isRestoring && <Restore item={item} onDone={onRestored} onCancel={() => setRestoring(false)} />}
      <Metrics item={item} />
    </article>
  );
}

function Metrics({ item }: { item: IVersionItem }): JSX.Element | null {
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

function Compare({ item, onCompare }: { item: IVersionItem; onCompare: (a: string, b: string) => void }): JSX.Element | null {
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
