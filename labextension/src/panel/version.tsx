import { ellipsesIcon } from '@jupyterlab/ui-components';
import React, { useState } from 'react';

import type { IManifest, IVersionItem } from '../contract';
import { byNumber, label, modelOf } from '../words';
import { Copy, Delete, Edit, Transfer } from './acting';
import { DropAlias, Lock, SetAlias, type Protections } from './aliases';
import { Deleted } from './deleted';
import { Toggle, useDoing, type IDoing, type OnVersion } from './doing';
import { Compare, Known, Metrics, Parts } from './known';
import { Moves } from './moves';
import { Pending, Rest, Stage, useAnswer, useSurroundings } from './parts';
import { Limits, OfModel, useMay, useModel } from './permitted';
import { Requests } from './requests';
import { Heading, To, useGo } from './way';

interface IVersion {
  reference: string;
  onCompare: (a: string, b: string) => void;
}

/** The version that a reference means now. Should the reference move on, this page, and what is typed in it, does not. */
export function Version({ reference, onCompare }: IVersion): JSX.Element {
  const isFixed = /@\d+$/.test(reference);
  const { answer, failure, again } = useAnswer('version', isFixed ? null : { ref: reference }, null);
  const found = isFixed ? reference : answer && byNumber(answer.item);
  return found ? (
    <OfModel model={modelOf(found)}>
      <Detail key={found} reference={found} onCompare={onCompare} />
    </OfModel>
  ) : (
    <Pending failure={failure} onAgain={again} />
  );
}

/** All there is to say about a version, and all that can be done with it. */
function Detail({ reference, onCompare }: IVersion): JSX.Element {
  const { answer, failure, again } = useAnswer('version', { ref: reference }, modelOf(reference));
  const guarded = useModel().answer?.protected ?? {};
  const may = useMay();
  const doing = useDoing<OnVersion>(again);
  if (!answer) {
    return failure?.code === 'unknown-version' ? <Deleted reference={reference} failure={failure} onRestored={again} /> : <Pending failure={failure} onAgain={again} />;
  }
  const { item, manifest } = answer;
  return (
    <article className="jp-nbreg-Detail">
      <Title item={item} />
      <Marks item={item} guarded={guarded} doing={doing} />
      <Said item={item} />
      <Limits />
      {may.look && <Moves item={item} moves={answer.moves} doing={doing} onConflict={again} />}
      <Requests item={item} onChanged={again} />
      <Uses item={item} doing={doing} />
      <Forms item={item} manifest={manifest} guarded={guarded} doing={doing} />
      <Metrics item={item} />
      {item.version.bump_reason && <p className="jp-nbreg-quiet">{item.version.bump_reason}</p>}
      <Known detail={answer} />
      <Compare item={item} onCompare={onCompare} />
      <Parts detail={answer} onChanged={again} />
    </article>
  );
}

function Title({ item }: { item: IVersionItem }): JSX.Element {
  const { trans } = useSurroundings();
  return (
    <Heading>
      <To place={{ kind: 'model', model: item.model }} title={trans.__('About this model')}>
        {item.model}
      </To>{' '}
      <b>{label(item.version)}</b> <span className="jp-nbreg-quiet">#{item.version.number}</span>
    </Heading>
  );
}

interface IOfVersion {
  item: IVersionItem;
  doing: IDoing<OnVersion>;
}

/** Its stage, its aliases, its tags. */
function Marks({ item, guarded, doing }: IOfVersion & { guarded: Protections }): JSX.Element {
  const { trans } = useSurroundings();
  const isWritable = useMay().change;
  return (
    <div className="jp-nbreg-Line">
      <Stage stage={item.version.stage} />
      {item.aliases.map(each => (
        <span key={each} className="jp-nbreg-Alias">
          {Object.hasOwn(guarded, each) && <Lock />}
          {each}
          {isWritable && (
            <Toggle doing={doing} opens={`drop ${each}`} className="jp-nbreg-Remove" title={trans.__('Take away')} label={trans.__('Take the alias %1 away', each)}>
              ×
            </Toggle>
          )}
        </span>
      ))}
      {item.version.tags.map(each => (
        <span key={each} className="jp-nbreg-Tag">
          {each}
        </span>
      ))}
    </div>
  );
}

/** Characters that are shown at once: what can be done with it is not to stand below a whole page of text. */
const AT_ONCE = 280;

function Said({ item: { version } }: { item: IVersionItem }): JSX.Element | null {
  const { trans } = useSurroundings();
  const [isWhole, setWhole] = useState(false);
  const { message, description } = version;
  if (!message && !description) {
    return null;
  }
  const isLong = message.length + description.length > AT_ONCE || description.split('\n').length > 5;
  return (
    <>
      <div className={`jp-nbreg-Said${isLong && !isWhole ? ' jp-nbreg-mod-cut' : ''}`}>
        {message && <p>{message}</p>}
        {description && <p className="jp-nbreg-Description">{description}</p>}
      </div>
      {isLong && (
        <Rest isShown={isWhole} onToggle={setWhole}>
          {trans.__('Show all')}
        </Rest>
      )}
    </>
  );
}

/** What can be done with it in the notebook, and beyond stages; what is done rarely is behind a button. */
function Uses({ item, doing }: IOfVersion): JSX.Element {
  const { trans, insertCode, showCell } = useSurroundings();
  const isWritable = useMay().change;
  const [hasMore, setMore] = useState(false);
  const [said, setSaid] = useState('');
  return (
    <>
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
            <Toggle doing={doing} opens="alias">
              {trans.__('Add alias')}
            </Toggle>
            <Toggle doing={doing} opens="edit">
              {trans.__('Edit')}
            </Toggle>
          </>
        )}
        <button className="jp-nbreg-Tool" aria-expanded={hasMore} aria-label={trans.__('More')} title={trans.__('More')} onClick={() => setMore(!hasMore)}>
          <ellipsesIcon.react tag="span" width="16px" height="16px" />
        </button>
      </div>
      {hasMore && <More item={item} doing={doing} />}
      <div role="status" className="jp-nbreg-quiet">
        {said}
      </div>
    </>
  );
}

function More({ item, doing }: IOfVersion): JSX.Element {
  const { service, trans } = useSurroundings();
  const isWritable = useMay().change;
  return (
    <div className="jp-nbreg-Actions" role="group" aria-label={trans.__('More to do with this version')}>
      <a className="jp-nbreg-Link" href={service.link('archive', { ref: byNumber(item) })} download title={trans.__('As one file, which another registry takes in')}>
        {trans.__('Download')}
      </a>
      <a className="jp-nbreg-Link" href={service.link('files', { ref: byNumber(item) })} download title={trans.__('As ordinary files that need no nbreg, in a zip')}>
        {trans.__('Download as files')}
      </a>
      {isWritable && (
        <>
          <Toggle doing={doing} opens="copy">
            {trans.__('Copy')}
          </Toggle>
          <Toggle doing={doing} opens="transfer">
            {trans.__('Move to another model')}
          </Toggle>
          <Toggle doing={doing} opens="delete">
            {trans.__('Delete')}
          </Toggle>
        </>
      )}
    </div>
  );
}

/** The form that is open. */
function Forms({ item, manifest, guarded, doing }: IOfVersion & { manifest: IManifest | null; guarded: Protections }): JSX.Element | null {
  const go = useGo();
  const { what, form } = doing;
  switch (what) {
    case null:
      return null;
    case 'edit':
      return <Edit item={item} manifest={manifest} {...form} />;
    case 'alias':
      return <SetAlias item={item} guarded={guarded} {...form} />;
    case 'copy':
      return <Copy item={item} {...form} />;
    case 'transfer':
      return <Transfer item={item} onMoved={ref => go({ kind: 'version', ref })} {...form} />;
    case 'delete':
      return <Delete item={item} {...form} />;
    default:
      return what.startsWith('drop ') ? <DropAlias key={what} model={item.model} alias={what.slice('drop '.length)} guarded={guarded} {...form} /> : null;
  }
}
