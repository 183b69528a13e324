import React from 'react';

import type { IManifest } from '../contract';
import { shown, size } from '../words';
import { Facts, Pending, Section, useAnswer, useSurroundings } from './parts';
import { To } from './way';

interface IOfVersion {
  id: string;
}

/** All that was captured with a version; each part is read when somebody opens it. */
export function Captured({ manifest, id }: IOfVersion & { manifest: IManifest }): JSX.Element {
  const { trans } = useSurroundings();
  const params = Object.entries(manifest.params);
  const parts: Array<[keyof IManifest, string, () => JSX.Element]> = [
    ['recipe', trans.__('Recipe'), () => <Recipe id={id} />],
    ['data', trans.__('Data'), () => <Data id={id} />],
    ['environment', trans.__('Environment'), () => <Environment id={id} />],
    ['signature', trans.__('Signature'), () => <Signature id={id} />],
    ['probe', trans.__('Probe'), () => <Probe id={id} />],
    ['variables', trans.__('Variables'), () => <Variables id={id} />],
    ['source', trans.__('Source'), () => <Source id={id} />]
  ];
  const captured = parts.filter(([name]) => (manifest[name] as { digest: string }).digest);
  const missing = parts.filter(([name]) => !(manifest[name] as { digest: string }).digest);
  return (
    <>
      {params.length > 0 && (
        <Section title={trans.__('Params')} count={params.length}>
          {() => <Facts rows={params.map(([name, value]) => [name, shown(value)])} />}
        </Section>
      )}
      <Section title={trans.__('Artifacts')} count={manifest.artifacts.length}>
        {() => <Facts rows={manifest.artifacts.map(each => [each.name, `${each.type || each.kind} · ${each.family} · ${each.form}`])} />}
      </Section>
      {captured.map(([name, title, body]) => (
        <Section key={name} title={title} count={name === 'recipe' ? shown((manifest.recipe.summary['status'] as string | undefined) ?? '') : ''}>
          {body}
        </Section>
      ))}
      {missing.length > 0 && (
        <p className="jp-nbreg-quiet">
          {trans.__('Not captured: %1', missing.map(([name, title]) => {
            const why = (manifest[name] as { missing: string }).missing.replace(/^not captured: ?/, '');
            return why && why !== 'not captured' ? `${title} (${why})` : title;
          }).join(', '))}
        </p>
      )}
    </>
  );
}

function Recipe({ id }: IOfVersion): JSX.Element {
  const { trans } = useSurroundings();
  const { answer, failure } = useAnswer('version/recipe', { ref: id }, null);
  if (!answer) {
    return <Pending failure={failure} />;
  }
  return (
    <>
      {answer.reasons.map(each => (
        <p key={each} className="jp-nbreg-quiet">
          {each}
        </p>
      ))}
      <ol className="jp-nbreg-Cells">
        {answer.cells.map((each, i) => (
          <li key={i}>
            <span className="jp-nbreg-Prompt" title={trans.__('kept for %1', each.why || '—')}>
              [{each.execution_count ?? ' '}]
            </span>
            <pre>{each.source}</pre>
          </li>
        ))}
      </ol>
    </>
  );
}

function Data({ id }: IOfVersion): JSX.Element {
  const { trans } = useSurroundings();
  const { answer, failure } = useAnswer('version/data', { ref: id }, null);
  if (!answer) {
    return <Pending failure={failure} />;
  }
  return (
    <>
      {answer.sets.map(each => {
        const shape = each.summary['shape'];
        const columns = answer.columns[each.name] ?? [];
        return (
          <div key={each.name}>
            <b>{each.name}</b>{' '}
            <span className="jp-nbreg-quiet">
              {each.dataset && <To place={{ kind: 'data', data: each.dataset }}>{each.dataset}</To>}{' '}
              {[each.role, Array.isArray(shape) ? shape.join('×') : '', each.inferred ? trans.__('inferred') : ''].filter(Boolean).join(' · ')}
            </span>{' '}
            {each.snapshot && <To place={{ kind: 'data', data: `sha256:${each.snapshot}` }}>{trans.__('who else used it')}</To>}
            <table className="jp-nbreg-Table">
              <tbody>
                {columns.slice(0, 200).map(column => (
                  <tr key={column.name}>
                    <th scope="row">{column.name}</th>
                    <td>{column.dtype}</td>
                    <td className="jp-nbreg-Number">{column.mean === null ? (column.distinct === null ? '' : trans._n('%1 value', '%1 values', column.distinct)) : `⌀ ${shown(column.mean)}`}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        );
      })}
      {answer.sets.length === 0 && <p className="jp-nbreg-quiet">{trans.__('No data is known of it.')}</p>}
    </>
  );
}

function Environment({ id }: IOfVersion): JSX.Element {
  const { trans } = useSurroundings();
  const { answer, failure } = useAnswer('version/environment', { ref: id }, null);
  if (!answer) {
    return <Pending failure={failure} />;
  }
  const needed = answer.distributions.filter(each => each.needed);
  const imported = answer.distributions.filter(each => each.imported && !each.needed);
  return (
    <Facts
      rows={[
        [trans.__('Python'), [answer.python['implementation'], answer.python['version']].filter(Boolean).join(' ')],
        [trans.__('system'), Object.values(answer.os).slice(0, 3).join(' ')],
        [trans.__('needed'), needed.map(each => `${each.name} ${each.version}`).join(', ')],
        [trans.__('imported'), imported.map(each => `${each.name} ${each.version}`).join(', ')],
        [trans.__('installed'), trans._n('%1 distribution', '%1 distributions', answer.distributions.length)]
      ]}
    />
  );
}

function Signature({ id }: IOfVersion): JSX.Element {
  const { trans } = useSurroundings();
  const { answer, failure } = useAnswer('version/signature', { ref: id }, null);
  if (!answer) {
    return <Pending failure={failure} />;
  }
  const told = (each: { [name: string]: unknown }): string =>
    ['name', 'dtype', 'type', 'shape'].map(name => each[name]).filter(value => value !== undefined && value !== '' && value !== null).map(value => shown(value)).join(' ');
  return (
    <Facts
      rows={[
        [trans.__('inputs'), answer.inputs.map(told).join(', ')],
        [trans.__('outputs'), answer.outputs.map(told).join(', ')]
      ]}
    />
  );
}

function Probe({ id }: IOfVersion): JSX.Element {
  const { trans } = useSurroundings();
  const { answer, failure } = useAnswer('version/probe', { ref: id }, null);
  if (!answer) {
    return <Pending failure={failure} />;
  }
  const bytes = (chunks: ReadonlyArray<{ size: number }>): string => (chunks.length ? size(chunks.reduce((sum, each) => sum + each.size, 0)) : '');
  return (
    <Facts
      rows={[
        ...Object.entries(answer.summary).map(([name, value]): [string, string] => [name, shown(value)]),
        [trans.__('rows kept'), bytes(answer.inputs)],
        [trans.__('answers kept'), bytes(answer.outputs)]
      ]}
    />
  );
}

function Variables({ id }: IOfVersion): JSX.Element {
  const { answer, failure } = useAnswer('version/variables', { ref: id }, null);
  if (!answer) {
    return <Pending failure={failure} />;
  }
  return (
    <Facts
      rows={answer.variables.map(each => [each.name, each.redacted || (each.value === null || each.value === undefined ? each.type : shown(each.value))])}
    />
  );
}

function Source({ id }: IOfVersion): JSX.Element {
  const { trans } = useSurroundings();
  const { answer, failure } = useAnswer('version/source', { ref: id }, null);
  if (!answer) {
    return <Pending failure={failure} />;
  }
  return (
    <>
      <Facts
        rows={[
          [trans.__('commit'), answer.git ? `${answer.git.commit.slice(0, 12)}${answer.git.dirty ? ` ${trans.__('(with changes)')}` : ''}` : answer.git_missing],
          [trans.__('branch'), answer.git?.branch ?? ''],
          [trans.__('notebook'), answer.notebook],
          [trans.__('modules'), Object.keys(answer.modules).join(', ')],
          [trans.__('edited since'), answer.edited.join(', ')]
        ]}
      />
      {answer.git?.diff && <pre>{answer.git.diff}</pre>}
    </>
  );
}
