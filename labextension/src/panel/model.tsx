import { lockIcon } from '@jupyterlab/ui-components';
import React, { useEffect, useRef, useState } from 'react';

import type { IModelDetail } from '../contract';
import { About } from './about';
import { DropAlias } from './acting';
import { AtWork } from './belonging';
import { Form } from './form';
import { Gates } from './gates';
import { Failure, Facts, Section, Stage, useAnswer, useSurroundings, When } from './parts';
import { Limits, OfModel, useMay, useModel } from './permitted';
import { RequestList } from './requests';
import { Split } from './split';
import { To } from './way';

/** A model's own page: whose it is and what for, who holds what, what is required, and the page for whoever has to check it. */
export function Model({ model }: { model: string }): JSX.Element {
  return (
    <OfModel model={model}>
      <Page model={model} />
    </OfModel>
  );
}

function Page({ model }: { model: string }): JSX.Element {
  const { trans } = useSurroundings();
  const { answer, failure, again } = useModel();
  const heading = useRef<HTMLHeadingElement>(null);
  const isThere = answer !== null;
  useEffect(() => heading.current?.focus(), [isThere, model]);
  if (!answer) {
    return failure ? <Failure refusal={failure} onAgain={again} /> : <p className="jp-nbreg-quiet">{trans.__('Reading…')}</p>;
  }
  const { about, model: row } = answer;
  return (
    <article className="jp-nbreg-Detail">
      <h2 tabIndex={-1} ref={heading}>
        <b>{model}</b>
      </h2>
      {about.description ? (
        <div className="jp-nbreg-Said">{about.description}</div>
      ) : (
        <p className="jp-nbreg-quiet">{trans.__('Nobody said yet what it is for.')}</p>
      )}
      <Facts
        rows={[
          [trans.__('owners'), about.owners.join(', ')],
          [trans.__('editors'), about.editors.join(', ')],
          [trans.__('readers'), about.readers.join(', ')],
          [trans.__('visibility'), about.visibility],
          [
            trans.__('versions'),
            trans.__('%1, the latest %2', row.versions, row.latest_name ?? (row.latest === null ? '—' : `#${row.latest}`)) +
              (row.deleted ? ` · ${trans.__('%1 deleted', row.deleted)}` : '')
          ],
          [trans.__('since'), <When at={row.created} />]
        ]}
      />
      <Limits />
      <About model={model} about={about} onChanged={again} />
      <RequestList model={model} />
      <Holders detail={answer} />
      <Aliases detail={answer} onChanged={again} />
      {about.readme && <Section title={trans.__('Readme')}>{() => <div className="jp-nbreg-Description">{about.readme}</div>}</Section>}
      <Section title={trans.__('Gates')}>{() => <Gates model={model} />}</Section>
      <Section title={trans.__('Traffic')} count={answer.split ? Object.keys(answer.split.weights).length : ''}>
        {() => <Split model={model} split={answer.split} onChanged={again} />}
      </Section>
      <Section title={trans.__('At work')}>{() => <ModelAtWork model={model} />}</Section>
      <Section title={trans.__('Audit')}>{() => <Audit model={model} />}</Section>
    </article>
  );
}

/** Who holds which stage. */
function Holders({ detail }: { detail: IModelDetail }): JSX.Element | null {
  const { name, stages } = detail.model;
  return <Facts rows={Object.entries(stages).map(([stage, number]) => [stage, <Held key={stage} stage={stage} refers={`${name}@${number}`} />])} />;
}

function Held({ stage, refers }: { stage: string; refers: string }): JSX.Element {
  return (
    <>
      <Stage stage={stage} bare /> <To place={{ kind: 'version', ref: refers }}>{refers}</To>
    </>
  );
}

type Doing = `drop ${string}` | `protect ${string}` | `unprotect ${string}` | 'protect' | null;

/** Where the aliases point, and which of them move by force alone. */
function Aliases({ detail, onChanged }: { detail: IModelDetail; onChanged: () => void }): JSX.Element {
  const { trans } = useSurroundings();
  const [doing, setDoing] = useState<Doing>(null);
  const model = detail.model.name;
  const may = useMay();
  // One that is protected need not point anywhere yet.
  const names = [...new Set([...Object.keys(detail.aliases), ...Object.keys(detail.protected)])].sort();
  const done = {
    onDone: () => {
      setDoing(null);
      onChanged();
    },
    onCancel: () => setDoing(null)
  };
  const button = (what: Doing, text: string, label: string): JSX.Element => (
    <button className="jp-nbreg-Link" aria-label={label} aria-expanded={doing === what} onClick={() => setDoing(doing === what ? null : what)}>
      {text}
    </button>
  );
  return (
    <Section title={trans.__('Aliases')} count={names.length} isOpen={names.length > 0}>
      {() => (
        <>
          {names.length === 0 && <p className="jp-nbreg-quiet">{trans.__("None yet: a version's page gives it one, which code loads it by.")}</p>}
          <ul className="jp-nbreg-Rows" aria-label={trans.__('Aliases of %1', model)}>
            {names.map(each => {
              const [number, guard] = [detail.aliases[each], detail.protected[each]];
              return (
                <li key={each}>
                  <div className="jp-nbreg-Row">
                    <span>
                      <span className="jp-nbreg-Alias">
                        {guard && <Lock />}
                        {each}
                      </span>{' '}
                      {number === undefined ? (
                        <span className="jp-nbreg-quiet">{trans.__('points nowhere yet')}</span>
                      ) : (
                        <To place={{ kind: 'version', ref: `${model}@${number}` }}>{`${model}@${number}`}</To>
                      )}
                    </span>
                    {may.change && (
                      <span className="jp-nbreg-Actions jp-nbreg-mod-inline">
                        {may.own &&
                          (guard
                            ? button(`unprotect ${each}`, trans.__('unprotect…'), trans.__('Protect %1 no longer…', each))
                            : button(`protect ${each}`, trans.__('protect…'), trans.__('Protect %1…', each)))}
                        {number !== undefined && button(`drop ${each}`, '×', trans.__('Take the alias %1 away', each))}
                      </span>
                    )}
                  </div>
                  {guard && (
                    <div className="jp-nbreg-quiet">
                      {trans.__('protected by %1', guard.by)} · <When at={guard.at} />
                      {guard.reason && ` · ${guard.reason}`}
                    </div>
                  )}
                  {doing === `drop ${each}` && <DropAlias model={model} alias={each} guarded={detail.protected} {...done} />}
                  {doing === `protect ${each}` && <Protect model={model} alias={each} {...done} />}
                  {doing === `unprotect ${each}` && <Unprotect model={model} alias={each} {...done} />}
                </li>
              );
            })}
          </ul>
          {may.own && button('protect', trans.__('Protect one that is not there yet…'), trans.__('Protect one that is not there yet…'))}
          {doing === 'protect' && <Protect model={model} alias="" {...done} />}
        </>
      )}
    </Section>
  );
}

/** That it moves by force alone. */
export function Lock(): JSX.Element {
  const { trans } = useSurroundings();
  return (
    <span className="jp-nbreg-Lock" role="img" aria-label={trans.__('protected')}>
      <lockIcon.react tag="span" width="11px" height="11px" />
    </span>
  );
}

interface IOfAlias {
  model: string;
  alias: string;
  onDone: () => void;
  onCancel: () => void;
}

function Protect({ model, alias: given, onDone, onCancel }: IOfAlias): JSX.Element {
  const { service, trans } = useSurroundings();
  const [typed, setTyped] = useState('');
  const alias = given || typed.trim();
  return (
    <Form
      title={given ? trans.__('Protect %1', given) : trans.__('Protect an alias')}
      verb={trans.__('Protect')}
      told={trans.__('Then it moves and goes by force alone, with a reason. Say why it matters: whoever wants to move it reads that.')}
      isReady={alias !== ''}
      act={why => service.ask('protect', { ...why, model, alias })}
      onDone={onDone}
      onCancel={onCancel}
    >
      {!given && (
        <label>
          {trans.__('Alias')}
          <input className="jp-mod-styled" value={typed} placeholder="champion" onChange={event => setTyped(event.target.value)} />
        </label>
      )}
    </Form>
  );
}

function Unprotect({ model, alias, onDone, onCancel }: IOfAlias): JSX.Element {
  const { service, trans } = useSurroundings();
  return (
    <Form
      title={trans.__('Protect %1 no longer', alias)}
      verb={trans.__('Unprotect')}
      told={trans.__('From now on anybody moves it without being asked.')}
      needsReason
      act={why => service.ask('unprotect', { ...why, model, alias })}
      onDone={onDone}
      onCancel={onCancel}
    />
  );
}

function ModelAtWork({ model }: { model: string }): JSX.Element {
  const { trans } = useSurroundings();
  const [ended, setEnded] = useState(false);
  const { answer, failure, again } = useAnswer('deployments', { model, ended }, model);
  return (
    <>
      <label className="jp-nbreg-quiet">
        <input type="checkbox" checked={ended} onChange={event => setEnded(event.target.checked)} /> {trans.__('with those that ended')}
      </label>
      {failure && <Failure refusal={failure} onAgain={again} />}
      {answer?.length === 0 && <p className="jp-nbreg-quiet">{trans.__('None of its versions is at work anywhere, as far as anybody said.')}</p>}
      {answer && <AtWork deployments={answer} withVersion onChanged={again} />}
    </>
  );
}

/** The page of all that is recorded, for whoever has to check the model. */
function Audit({ model }: { model: string }): JSX.Element {
  const { service, trans } = useSurroundings();
  const [verify, setVerify] = useState(false);
  return (
    <>
      <p className="jp-nbreg-quiet">
        {trans.__('All that is on record of it, on one page that needs nothing else: versions, stages, gates, approvals, data, events.')}
      </p>
      <label className="jp-nbreg-quiet">
        <input type="checkbox" checked={verify} onChange={event => setVerify(event.target.checked)} />{' '}
        {trans.__('read every byte anew first; that may take long')}
      </label>
      <div className="jp-nbreg-Actions">
        <a className="jp-nbreg-Link" href={service.link('audit', { model, verify })} download>
          {trans.__('Download as HTML')}
        </a>
        <a className="jp-nbreg-Link" href={service.link('audit', { model, verify, form: 'md' })} download>
          {trans.__('as Markdown')}
        </a>
      </div>
    </>
  );
}
