import React, { useState } from 'react';

import type { IModelDetail } from '../contract';
import { About } from './about';
import { Aliases } from './aliases';
import { AtWork } from './belonging';
import { Check } from './fields';
import { Gates } from './gates';
import { Facts, Failure, Pending, Section, Stage, useAnswer, useSurroundings, When } from './parts';
import { Limits, OfModel, useModel } from './permitted';
import { RequestList } from './requests';
import { Split } from './split';
import { Heading, To } from './way';

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
  if (!answer) {
    return <Pending failure={failure} onAgain={again} />;
  }
  const { about, model: row } = answer;
  return (
    <article className="jp-nbreg-Detail">
      <Heading>
        <b>{model}</b>
      </Heading>
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

function ModelAtWork({ model }: { model: string }): JSX.Element {
  const { trans } = useSurroundings();
  const [ended, setEnded] = useState(false);
  const { answer, failure, again } = useAnswer('deployments', { model, ended }, model);
  return (
    <>
      <Check className="jp-nbreg-quiet" label={trans.__('with those that ended')} checked={ended} onCheck={setEnded} />
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
      <Check className="jp-nbreg-quiet" label={trans.__('read every byte anew first; that may take long')} checked={verify} onCheck={setVerify} />
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
