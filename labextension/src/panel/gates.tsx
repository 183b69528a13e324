import React, { useState } from 'react';

import type { IGateResult, IRequiredGate } from '../contract';
import { listed } from '../words';
import { Toggle, useDoing, type IDone } from './doing';
import { Choice, LongField } from './fields';
import { Form } from './form';
import { Pending, Stage, useAnswer, useSurroundings } from './parts';
import { useMay } from './permitted';

/** All models, as gates name them. */
export const EVERY = '*';

/** What a stage requires, where it requires anything: said before somebody tries. */
export function GateNames({ model, stage }: { model: string; stage: string }): JSX.Element | null {
  const { trans } = useSurroundings();
  const { answer } = useAnswer('gates', { model, stage }, null);
  if (!answer || answer.length === 0) {
    return null;
  }
  return (
    <div className="jp-nbreg-quiet">
      {trans.__('%1 requires', stage)}{' '}
      {answer.map((each, i) => (
        <React.Fragment key={i}>
          {i > 0 && ', '}
          <code>{each.gate}</code>
        </React.Fragment>
      ))}
    </div>
  );
}

/** The gates that are not passed, and passed over all the same. */
export function PassedOver({ gates }: { gates: ReadonlyArray<IGateResult> }): JSX.Element {
  const { trans } = useSurroundings();
  return (
    <>
      <b>{trans.__('These gates are passed over:')}</b>
      <ul className="jp-nbreg-Gates">
        {gates
          .filter(each => !each.passed)
          .map((each, i) => (
            <li key={i}>
              <span className="jp-nbreg-mod-removed" aria-hidden="true">
                ✗
              </span>{' '}
              <code>{each.gate}</code> <span className="jp-nbreg-quiet">{each.why}</span>
            </li>
          ))}
      </ul>
    </>
  );
}

/** What is required before a version comes into a stage; required and dropped here. `model` may be `*`. */
export function Gates({ model }: { model: string }): JSX.Element {
  const { trans } = useSurroundings();
  const { answer, failure, again } = useAnswer('gates', { model }, model === EVERY ? { other: 'registry' } : 'all');
  const doing = useDoing<string>(again);
  const isWritable = useMay().own;
  if (!answer) {
    return <Pending failure={failure} onAgain={again} />;
  }
  return (
    <>
      {answer.length === 0 && <p className="jp-nbreg-quiet">{trans.__('Nothing is required: a version comes into any stage at once.')}</p>}
      <ul className="jp-nbreg-Rows" aria-label={trans.__('Gates')}>
        {answer.map(each => (
          <li key={nameOf(each)}>
            <div className="jp-nbreg-Row">
              <span>
                <Stage stage={each.stage} /> <code>{each.gate}</code> {each.unavailable && <span className="jp-nbreg-mod-removed">{each.unavailable} </span>}
              </span>
              {each.scope === EVERY && model !== EVERY ? (
                <span className="jp-nbreg-quiet">{trans.__('of all models')}</span>
              ) : (
                isWritable && (
                  <Toggle doing={doing} opens={nameOf(each)} label={trans.__('Drop the gate %1 of %2…', each.gate, each.stage)}>
                    {trans.__('drop…')}
                  </Toggle>
                )
              )}
            </div>
            {doing.what === nameOf(each) && <Drop model={model} gate={each} {...doing.form} />}
          </li>
        ))}
      </ul>
      {isWritable && (
        <Toggle doing={doing} opens="require">
          {trans.__('Require a gate…')}
        </Toggle>
      )}
      {doing.what === 'require' && <Require model={model} {...doing.form} />}
    </>
  );
}

/** What a gate is known by while the list is read anew. */
function nameOf({ scope, stage, gate }: IRequiredGate): string {
  return `${scope} ${stage} ${gate}`;
}

function Require({ model, ...done }: IDone & { model: string }): JSX.Element {
  const { service, trans } = useSurroundings();
  const stages = service.registry?.lifecycle.stages.slice(1, -1) ?? [];
  const [stage, setStage] = useState(stages.includes('production') ? 'production' : (stages[stages.length - 1] ?? ''));
  const [text, setText] = useState('');
  const gates = listed(text, '\n');
  return (
    <Form
      title={model === EVERY ? trans.__('Require of all models') : trans.__('Require of %1', model)}
      verb={trans.__('Require')}
      told={trans.__('From now on a version has to pass it to come into the stage; those that are there stay.')}
      isReady={gates.length > 0}
      act={why => service.ask('require', { ...why, model, stage, gates })}
      {...done}
    >
      <Choice label={trans.__('Before it comes into')} value={stage} choices={stages} onChoose={setStage} />
      <LongField
        label={trans.__('Gates: queries or rules, one a line')}
        isCode
        rows={3}
        value={text}
        placeholder={'metrics.auc > 0.9\napproved(2)\nproven'}
        onText={setText}
      />
    </Form>
  );
}

function Drop({ model, gate, ...done }: IDone & { model: string; gate: IRequiredGate }): JSX.Element {
  const { service, trans } = useSurroundings();
  return (
    <Form
      title={trans.__('Require it no longer')}
      verb={trans.__('Drop')}
      told={trans.__('A version comes into %1 without %2 from now on.', gate.stage, gate.gate)}
      needsReason
      act={why => service.ask('drop-gate', { ...why, model, stage: gate.stage, gate: gate.gate })}
      {...done}
    />
  );
}
