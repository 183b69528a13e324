import React from 'react';

import type { Refusal } from '../service';
import { label, modelOf } from '../words';
import { Restore } from './acting';
import { Toggle, useDoing } from './doing';
import { Metrics } from './known';
import { Facts, Failure, useAnswer, useSurroundings, When } from './parts';
import { useMay } from './permitted';
import { Heading, To } from './way';

/** A version that is hidden: who did that and why, and how it comes back. */
export function Deleted({ reference, failure, onRestored }: { reference: string; failure: Refusal; onRestored: () => void }): JSX.Element {
  const { trans } = useSurroundings();
  const isWritable = useMay().change;
  const model = modelOf(reference);
  const { answer } = useAnswer('versions', { model, query: `number == ${reference.slice(model.length + 1)}`, deleted: true, limit: 1 }, model);
  const doing = useDoing<'restore'>(onRestored);
  const item = answer?.versions[0];
  const deleted = item?.version.deleted;
  if (!item || !deleted) {
    return <Failure refusal={failure} />;
  }
  return (
    <article className="jp-nbreg-Detail">
      <Heading>
        <To place={{ kind: 'model', model: item.model }} title={trans.__('About this model')}>
          {item.model}
        </To>{' '}
        <b>{label(item.version)}</b> <span className="jp-nbreg-quiet">#{item.version.number}</span>
      </Heading>
      <Facts
        rows={[
          [item.version.moved_to ? trans.__('moved to') : trans.__('deleted'), item.version.moved_to || <When at={deleted.at} />],
          [trans.__('by'), deleted.by],
          [trans.__('reason'), deleted.reason],
          [trans.__('purged'), item.version.purged],
          [trans.__('message'), item.version.message]
        ]}
      />
      {isWritable && !item.version.moved_to && doing.what === null && (
        <div className="jp-nbreg-Actions">
          <Toggle doing={doing} opens="restore">
            {trans.__('Restore')}
          </Toggle>
        </div>
      )}
      {doing.what === 'restore' && <Restore item={item} {...doing.form} />}
      <Metrics item={item} />
    </article>
  );
}
