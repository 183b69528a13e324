import React, { useState } from 'react';

import { exactly, size } from '../words';
import { AtWork } from './belonging';
import { EVERY, Gates } from './gates';
import { Facts, Failure, Pending, Section, Told, useAnswer, useSurroundings } from './parts';
import { RequestList } from './requests';
import { To } from './way';

/** The registry as a whole: what waits for an answer, what is at work, what is required, and whether all is well. */
export function Upkeep(): JSX.Element {
  const { service, trans } = useSurroundings();
  const { registry } = service;
  return (
    <article className="jp-nbreg-Detail">
      <RequestList />
      <Facts
        rows={[
          [trans.__('folder'), registry?.location ?? ''],
          [trans.__('stages'), registry?.lifecycle.stages.join(' → ') ?? ''],
          [trans.__('one holder'), registry?.lifecycle.single.join(', ') ?? ''],
          [trans.__('you are'), service.hello?.actor.user ?? ''],
          [trans.__('read only'), registry?.writable ? '' : (registry?.why ?? '')]
        ]}
      />
      <Section title={trans.__('At work')} isOpen>
        {() => <AllAtWork />}
      </Section>
      <Section title={trans.__('Gates of all models')}>{() => <Gates model={EVERY} />}</Section>
      {service.hello?.admin ? (
        <>
          <Section title={trans.__('Room on disk')}>{() => <Room />}</Section>
          <Section title={trans.__('Is all well?')}>{() => <Check />}</Section>
        </>
      ) : (
        <p className="jp-nbreg-quiet">{trans.__('What is about all models at once is for administrators: drafts, room on disk, and the check of all bytes.')}</p>
      )}
    </article>
  );
}

function AllAtWork(): JSX.Element {
  const { trans } = useSurroundings();
  const { answer, failure, again } = useAnswer('deployments', {}, 'all');
  if (!answer) {
    return <Pending failure={failure} onAgain={again} />;
  }
  return answer.length === 0 ? (
    <p className="jp-nbreg-quiet">{trans.__('Nothing is at work anywhere, as far as anybody said. The page of a version records it.')}</p>
  ) : (
    <AtWork deployments={answer} ofAll onChanged={again} />
  );
}

/** What takes up how much, the largest first. */
function Room(): JSX.Element {
  const { trans } = useSurroundings();
  const { answer, failure, again } = useAnswer('usage', {}, null);
  if (!answer) {
    return <Pending failure={failure} onAgain={again} told={trans.__('Adding up…')} />;
  }
  const models = [...answer.models].sort((a, b) => b.size - a.size);
  return (
    <>
      <Facts
        rows={[
          [trans.__('models'), size(answer.size)],
          [trans.__('runs'), size(answer.runs)],
          [trans.__('decisions'), answer.decisions ? size(answer.decisions) : ''],
          [trans.__('journals'), size(answer.journals)],
          [trans.__('unused'), answer.unreferenced ? size(answer.unreferenced) : '']
        ]}
      />
      <table className="jp-nbreg-Table">
        <thead>
          <tr>
            <th scope="col">{trans.__('model')}</th>
            <th scope="col" className="jp-nbreg-Number">
              {trans.__('size')}
            </th>
            <th scope="col" className="jp-nbreg-Number">
              {trans.__('its own')}
            </th>
          </tr>
        </thead>
        <tbody>
          {models.slice(0, 100).map(each => (
            <tr key={each.model}>
              <th scope="row">
                <To place={{ kind: 'model', model: each.model }}>{each.model}</To> <span className="jp-nbreg-quiet">{each.versions}</span>
              </th>
              <td className="jp-nbreg-Number">{size(each.size)}</td>
              <td className="jp-nbreg-Number">{size(each.own)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <Told quiet>{trans.__('What versions share is counted once. `nbreg purge --dry-run` says what could be removed for good.')}</Told>
    </>
  );
}

/** Reads every byte of the registry, once somebody asks for it. */
function Check(): JSX.Element {
  const { trans } = useSurroundings();
  const [since, setSince] = useState<string | null>(null);
  const { answer, failure, again } = useAnswer('verify', since === null ? null : {}, null);
  const start = (): void => {
    setSince(new Date().toISOString());
    again();
  };
  if (since === null) {
    return (
      <>
        <p className="jp-nbreg-quiet">{trans.__('Reads every journal and every object, and compares each with its digest. That may take minutes.')}</p>
        <button className="jp-nbreg-Link" onClick={start}>
          {trans.__('Check it now')}
        </button>
      </>
    );
  }
  if (!answer) {
    return failure ? <Failure refusal={failure} onAgain={start} /> : <p className="jp-nbreg-quiet">{trans.__('Checking…')}</p>;
  }
  return (
    <>
      <p role="status">
        {answer.problems.length === 0 ? (
          <>
            <span className="jp-nbreg-mod-added" aria-hidden="true">
              ✓
            </span>{' '}
            {trans.__('All is as it was written.')}
          </>
        ) : (
          trans._n('%1 thing is not as it was written:', '%1 things are not as they were written:', answer.problems.length)
        )}
      </p>
      <ul className="jp-nbreg-Rows" aria-label={trans.__('What is wrong')}>
        {answer.problems.slice(0, 100).map((each, i) => (
          <li key={i}>
            <code>{each.code}</code> {each.message} <span className="jp-nbreg-quiet">{each.where}</span>
          </li>
        ))}
      </ul>
      <p className="jp-nbreg-quiet">
        {trans.__('%1 versions, %2 objects, %3, as of %4.', answer.versions, answer.objects, size(answer.bytes), exactly(since))}
      </p>
      {answer.problems.length > 0 && <Told quiet>{trans.__('`nbreg verify --repair` says what can be done.')}</Told>}
    </>
  );
}
