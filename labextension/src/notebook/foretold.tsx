import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useState } from 'react';

import type { IForetold } from '../contract';
import { Facts, Failure } from '../panel/parts';
import { Refusal } from '../service';
import { useTrans } from '../translation';
import type { IAskOptions } from './kernel';
import { argumentsOf, cellOf, oneLine, placeholders, whyNoName, type IFilledIn } from './line';

interface ILineProps {
  given: IFilledIn;
  isLoaded: boolean;
  isReady: boolean;
  preview: (line: string, options: IAskOptions) => Promise<IForetold>;
}

/** The cell as it will stand in the notebook, and what it would store. */
export function Line({ given, isLoaded, isReady, preview }: ILineProps): JSX.Element {
  const trans = useTrans();
  const [foretold, setForetold] = useState<{ line: string; answer: IForetold | null; failure: Refusal | null } | null>(null);
  const line = argumentsOf(given);
  const isOf = foretold?.line === line;
  const filled = placeholders(given);
  const look = (): void => {
    setForetold({ line, answer: null, failure: null });
    preview(line, {}).then(
      answer => setForetold(old => (old?.line === line ? { line, answer, failure: null } : old)),
      error => setForetold(old => (old?.line === line ? { line, answer: null, failure: Refusal.of(error) } : old))
    );
  };
  const why = whyNoName(given.model) === 'dash' ? trans.__('A name begins with a letter or a digit.') : '';
  return (
    <>
      <div className="jp-nbreg-Typed">
        {why ? <span role="alert">{why}</span> : isReady ? <code aria-label={trans.__('The cell')}>{cellOf(given, isLoaded)}</code> : <span className="jp-nbreg-quiet">{missing(given, trans)}</span>}
        <button type="button" className="jp-nbreg-Link" disabled={!isReady || !isLoaded} title={isLoaded ? '' : trans.__('nbreg has to be loaded first')} onClick={look}>
          {trans.__('Preview')}
        </button>
      </div>
      {filled.length > 0 && (
        <p className="jp-nbreg-quiet" role="note">
          {trans.__('The kernel fills in %1 when the cell runs: a date, the time, or a variable of that name. The preview shows what comes of it.', filled.join(', '))}
        </p>
      )}
      {isOf && foretold.failure && <Failure refusal={foretold.failure} onAgain={look} />}
      {isOf && !foretold.failure && (foretold.answer ? <Preview answer={foretold.answer} /> : <p role="status" className="jp-nbreg-quiet">{trans.__('Looking at what would be stored…')}</p>)}
    </>
  );
}

function missing(given: IFilledIn, trans: TranslationBundle): string {
  return oneLine(given.model) ? trans.__('Choose what to register.') : trans.__('Give the model a name; the cell that registers it is shown here.');
}

/** What would be stored, or why it would be refused; all of it is text. */
function Preview({ answer }: { answer: IForetold }): JSX.Element {
  const trans = useTrans();
  if (answer.refusal) {
    return (
      <div className="jp-nbreg-Failure" role="alert">
        {answer.refusal}
      </div>
    );
  }
  return (
    <section className="jp-nbreg-Preview" aria-label={trans.__('What would be stored')} tabIndex={0}>
      <Facts rows={answer.facts.map(([name, text]) => [name, text])} />
      {answer.gaps.map(each => (
        <p key={each} className="jp-nbreg-quiet">
          {each}
        </p>
      ))}
      {answer.tables.map(table => (
        <details key={table.title}>
          <summary>{table.title}</summary>
          <table className="jp-nbreg-Table">
            <thead>
              <tr>
                {table.columns.map(each => (
                  <th key={each} scope="col">
                    {each}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {table.rows.map((row, i) => (
                <tr key={i}>
                  {row.map((each, j) => (
                    <td key={j}>{each}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
          {table.more && <p className="jp-nbreg-quiet">{table.more}</p>}
        </details>
      ))}
    </section>
  );
}
