import React, { useState } from 'react';

import type { IManifest, IVersionItem } from '../contract';
import { byNumber, label, listed, readNumbers, readObject } from '../words';
import type { IDone } from './doing';
import { Field, LongField } from './fields';
import { Form, type Act } from './form';
import { useSurroundings } from './parts';

interface IOnVersion extends IDone {
  item: IVersionItem;
}

/** What somebody writes into the form that edits a version. */
interface IWritten {
  description: string;
  tags: string;
  content: string;
  metrics: string;
}

function writtenOf({ version }: IVersionItem, manifest: IManifest | null): IWritten {
  return {
    description: version.description,
    tags: version.tags.join(', '),
    content: JSON.stringify(version.content ?? manifest?.content ?? {}, null, 2),
    metrics: Object.entries(version.metrics)
      .filter(([name]) => manifest?.metrics[name] === undefined)
      .map(([name, value]) => `${name} = ${value}`)
      .join('\n')
  };
}

/** Change what may change of it: description, tags, content, and metrics that were found out later. */
export function Edit({ item, manifest, ...done }: IOnVersion & { manifest: IManifest | null }): JSX.Element {
  const { service, trans } = useSurroundings();
  // As it was when somebody began to write: what others change meanwhile is not taken back by it.
  const [was] = useState(() => writtenOf(item, manifest));
  const [now, setNow] = useState(was);
  const content = now.content === was.content ? undefined : readObject(now.content);
  const metrics = now.metrics === was.metrics ? undefined : readNumbers(now.metrics);
  // What was not touched is not sent: somebody may have changed it meanwhile.
  const wish = {
    ...(now.description === was.description ? {} : { description: now.description }),
    ...(now.tags === was.tags ? {} : { tags: listed(now.tags) }),
    ...(content ? { content } : {}),
    ...(metrics && Object.keys(metrics).length > 0 ? { metrics } : {})
  };
  const wrong = [
    ...(content === null ? [trans.__('The content is no JSON object.')] : []),
    ...(metrics === null ? [trans.__('Each metric is a name, = and a number, one a line.')] : [])
  ];
  const set = (name: keyof IWritten) => (text: string) => setNow({ ...now, [name]: text });
  return (
    <Form
      title={trans.__('Edit %1', item.ref)}
      verb={trans.__('Save')}
      isReady={wrong.length === 0 && Object.keys(wish).length > 0}
      act={why => service.ask('update', { ...why, ...wish, ref: byNumber(item) })}
      {...done}
    >
      <LongField label={trans.__('Description')} rows={3} value={now.description} onText={set('description')} />
      <Field label={trans.__('Tags, with commas between')} value={now.tags} onText={set('tags')} />
      <LongField label={trans.__('Metrics that were found out later, one a line')} isCode rows={2} value={now.metrics} placeholder="auc_live = 0.91" onText={set('metrics')} />
      <LongField label={trans.__('Content, a JSON object')} isCode rows={4} value={now.content} onText={set('content')} />
      {wrong.map(each => (
        <div key={each} role="alert">
          {each}
        </div>
      ))}
    </Form>
  );
}

/** Hide it. */
export function Delete({ item, ...done }: IOnVersion): JSX.Element {
  const { service, trans } = useSurroundings();
  const hide =
    (force: boolean): Act =>
    why =>
      service.ask('delete', { ...why, ref: byNumber(item), include_protected: force });
  return (
    <Form
      title={trans.__('Delete %1', item.ref)}
      verb={trans.__('Delete')}
      told={trans.__('It is hidden, and can be restored; its number is never used again.')}
      needsReason
      example={trans.__('TrainedOnTest')}
      act={hide(false)}
      force={{
        codes: ['version-in-use'],
        verb: trans.__('Delete all the same'),
        told: refusal => (
          <>
            <b>{trans.__('Somebody may count on it.')}</b>
            <div>{refusal?.message}</div>
          </>
        ),
        act: hide(true)
      }}
      {...done}
    />
  );
}

/** Bring it back. */
export function Restore({ item, ...done }: IOnVersion): JSX.Element {
  const { service, trans } = useSurroundings();
  return <Form title={trans.__('Restore %1', item.ref)} verb={trans.__('Restore')} act={why => service.ask('restore', { ...why, ref: byNumber(item) })} {...done} />;
}

/** Make it again under another name, or in another model. */
export function Copy({ item, ...done }: IOnVersion): JSX.Element {
  const { service, trans } = useSurroundings();
  const [to, setTo] = useState(item.model);
  const [name, setName] = useState('');
  const copy =
    (force: boolean): Act =>
    why =>
      service.ask('copy', { ...why, ref: byNumber(item), to: to.trim(), version: name.trim() || null, force });
  return (
    <Form
      title={trans.__('Copy %1', item.ref)}
      verb={trans.__('Copy')}
      told={trans.__('The same bytes under another name: the copy keeps the id, and begins without stage and aliases.')}
      isReady={to.trim() !== ''}
      act={copy(false)}
      force={{
        codes: ['name-taken'],
        verb: trans.__('Take the name over'),
        told: refusal => (
          <>
            <div>{refusal?.message}</div>
            <div>{trans.__('The version that has the name keeps its number and its bytes, without a name.')}</div>
          </>
        ),
        act: copy(true)
      }}
      {...done}
    >
      <Goal to={to} name={name} onTo={setTo} onName={setName} named={trans.__('%1-copy', label(item.version))} />
    </Form>
  );
}

/** Move it to another model. */
export function Transfer({ item, onMoved, ...done }: IOnVersion & { onMoved: (ref: string) => void }): JSX.Element {
  const { service, trans } = useSurroundings();
  const [to, setTo] = useState('');
  const [name, setName] = useState('');
  return (
    <Form
      title={trans.__('Move %1 to another model', item.ref)}
      verb={trans.__('Move')}
      told={trans.__('It goes from here for good, and gets the next number there. A version that is in a stage, has an alias or is at work stays.')}
      isReady={to.trim() !== '' && to.trim() !== item.model}
      act={async why => {
        const moved = await service.ask('transfer', { ...why, ref: byNumber(item), to: to.trim(), version: name.trim() || null });
        onMoved(byNumber(moved));
      }}
      {...done}
    >
      <Goal to={to} name={name} onTo={setTo} onName={setName} named={label(item.version)} />
    </Form>
  );
}

interface IGoal {
  to: string;
  name: string;
  named: string;
  onTo: (to: string) => void;
  onName: (name: string) => void;
}

function Goal({ to, name, named, onTo, onName }: IGoal): JSX.Element {
  const { trans } = useSurroundings();
  return (
    <>
      <Field label={trans.__('Model')} value={to} placeholder="risk/churn" onText={onTo} />
      <Field label={trans.__('Name, if not %1', named)} value={name} onText={onName} />
    </>
  );
}
