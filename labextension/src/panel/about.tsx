import React, { useState } from 'react';

import type { IAbout, IUpdateModel } from '../contract';
import { Form, type Act } from './form';
import { useSurroundings } from './parts';
import { useMay } from './permitted';

interface IOfModel {
  model: string;
  about: IAbout;
}

/** The way to what is said of a model, for those who may say it. */
export function About({ model, about, onChanged }: IOfModel & { onChanged: () => void }): JSX.Element | null {
  const { trans } = useSurroundings();
  const [isEditing, setEditing] = useState(false);
  return useMay().own ? (
    <>
      <div className="jp-nbreg-Actions">
        <button className="jp-nbreg-Link" aria-expanded={isEditing} onClick={() => setEditing(!isEditing)}>
          {trans.__('Edit')}
        </button>
      </div>
      {isEditing && (
        <EditModel
          model={model}
          about={about}
          onDone={() => {
            setEditing(false);
            onChanged();
          }}
          onCancel={() => setEditing(false)}
        />
      )}
    </>
  ) : null;
}

const VISIBILITIES = ['private', 'organisation', 'public'] as const;
const PEOPLE = ['owners', 'editors', 'readers'] as const;

/** Say whose it is, who may do what, who may see it, and what it is for. */
function EditModel({ model, about, onDone, onCancel }: IOfModel & { onDone: () => void; onCancel: () => void }): JSX.Element {
  const { service, trans } = useSurroundings();
  // As it was when somebody began to write: others may change it meanwhile.
  const [was] = useState(() => ({ ...about, owners: about.owners.join(', '), editors: about.editors.join(', '), readers: about.readers.join(', ') }));
  const [now, setNow] = useState(was);
  const people = PEOPLE.filter(each => now[each] !== was[each]).map(each => [each, names(now[each])] as const);
  const wish: Omit<IUpdateModel, 'model'> = {
    ...(now.description === was.description ? {} : { description: now.description }),
    ...(now.readme === was.readme ? {} : { readme: now.readme }),
    ...(now.visibility === was.visibility ? {} : { visibility: now.visibility }),
    ...(Object.fromEntries(people) as Partial<IUpdateModel>)
  };
  const acting =
    (force: boolean): Act =>
    why =>
      service.ask('update-model', { ...why, ...wish, model, force });
  const said: { [part in (typeof PEOPLE)[number]]: string } = {
    owners: trans.__('Owners, with commas between'),
    editors: trans.__('Editors: they change versions'),
    readers: trans.__('Readers: they look, though it is private')
  };
  return (
    <Form
      title={trans.__('About %1', model)}
      verb={trans.__('Save')}
      isReady={Object.keys(wish).length > 0}
      act={acting(false)}
      force={{
        codes: ['handover'],
        verb: trans.__('Give it away'),
        told: () => <b>{trans.__('You will be no owner of it any more: only its owners or an administrator can take that back.')}</b>,
        act: acting(true)
      }}
      onDone={onDone}
      onCancel={onCancel}
    >
      <label>
        {trans.__('What it is for')}
        <textarea className="jp-mod-styled" rows={2} value={now.description} onChange={event => setNow({ ...now, description: event.target.value })} />
      </label>
      {PEOPLE.map(each => (
        <label key={each}>
          {said[each]}
          <input className="jp-mod-styled" value={now[each]} onChange={event => setNow({ ...now, [each]: event.target.value })} />
        </label>
      ))}
      <label>
        {trans.__('Who may see it; a server may hold people to it')}
        <select className="jp-mod-styled" value={now.visibility} onChange={event => setNow({ ...now, visibility: event.target.value as IAbout['visibility'] })}>
          {VISIBILITIES.map(each => (
            <option key={each}>{each}</option>
          ))}
        </select>
      </label>
      <label>
        {trans.__('Readme')}
        <textarea className="jp-mod-styled" rows={5} value={now.readme} onChange={event => setNow({ ...now, readme: event.target.value })} />
      </label>
    </Form>
  );
}

function names(text: string): string[] {
  return text
    .split(',')
    .map(each => each.trim())
    .filter(Boolean);
}
