import React, { useState } from 'react';

import type { ISplitRow } from '../contract';
import { readNumbers, shown } from '../words';
import { Toggle, useDoing, type IDone } from './doing';
import { LongField } from './fields';
import { Form } from './form';
import { Facts, Told, useSurroundings, When } from './parts';
import { useMay } from './permitted';
import { To } from './way';

interface ISplit {
  model: string;
  split: ISplitRow | null;
  onChanged: () => void;
}

/** How a model's traffic is shared out among references, and sharing it out otherwise. */
export function Split({ model, split, onChanged }: ISplit): JSX.Element {
  const { service, trans } = useSurroundings();
  const isWritable = useMay().change;
  const doing = useDoing<'set' | 'end'>(onChanged);
  const weights = Object.entries(split?.weights ?? {});
  return (
    <>
      {split ? (
        <>
          <Facts
            rows={weights.map(([ref, weight]) => [
              `${shown(weight * 100)} %`,
              <To key={ref} place={{ kind: 'version', ref: `${model}@${ref}` }}>
                {ref}
              </To>
            ])}
          />
          <p className="jp-nbreg-quiet">
            {trans.__('since')} <When at={split.at} /> {trans.__('by %1', split.by)}
          </p>
        </>
      ) : (
        <Told quiet>
          {trans.__(
            'Nobody shared it out. Where a service asks `registry.route(%1, key=…)`, the shares that stand here decide who answers whom.',
            JSON.stringify(model)
          )}
        </Told>
      )}
      {isWritable && (
        <div className="jp-nbreg-Actions">
          <Toggle doing={doing} opens="set">
            {trans.__('Share it out…')}
          </Toggle>
          {split && (
            <Toggle doing={doing} opens="end">
              {trans.__('End it…')}
            </Toggle>
          )}
        </div>
      )}
      {doing.what === 'set' && <SetSplit model={model} weights={weights} {...doing.form} />}
      {doing.what === 'end' && (
        <Form
          title={trans.__('Share the traffic of %1 out no more', model)}
          verb={trans.__('End it')}
          told={trans.__('Services that route by it are refused, unless their code brings shares along.')}
          act={why => service.ask('set-split', { ...why, model, weights: null })}
          {...doing.form}
        />
      )}
    </>
  );
}

interface ISetSplit extends IDone {
  model: string;
  weights: ReadonlyArray<[string, number]>;
}

function SetSplit({ model, weights, ...done }: ISetSplit): JSX.Element {
  const { service, trans } = useSurroundings();
  const [text, setText] = useState(weights.map(([ref, weight]) => `${ref} = ${Number((weight * 100).toPrecision(12))}`).join('\n'));
  const read = readNumbers(text);
  const sum = Object.values(read ?? {}).reduce((before, each) => before + each, 0);
  const isWhole = Math.abs(sum - 100) < 1e-4 || Math.abs(sum - 1) < 1e-6;
  return (
    <Form
      title={trans.__('The traffic of %1', model)}
      verb={trans.__('Share out')}
      told={trans.__(
        'Every process that routes by it does so from now on. A customer stays with the version that answered before, as far as the shares allow.'
      )}
      isReady={read !== null && isWhole}
      act={why => service.ask('set-split', { ...why, model, weights: read })}
      {...done}
    >
      <LongField label={trans.__('Percents by reference, one a line')} isCode rows={3} value={text} placeholder={'production = 90\nstaging = 10'} onText={setText} />
      {text.trim() !== '' && !isWhole && (
        <div className="jp-nbreg-quiet" role="status">
          {read === null ? trans.__('Each line is a reference, = and a number.') : trans.__('They add up to %1, and have to to 100.', shown(sum))}
        </div>
      )}
    </Form>
  );
}
