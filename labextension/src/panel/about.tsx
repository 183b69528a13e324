import React, { useState } from 'react';

import type { IAbout, IUpdateModel } from '../contract';
import { listed } from '../words';
import { Toggle, useDoing, type IDone } from './doing';
import { Choice, Field, LongField } from './fields';
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
  const doing = useDoing<'edit'>(onChanged);
  return useMay().own ? (
    <>
      <div className="jp-nbreg-Actions">
        <Toggle doing={doing} opens="edit">
          {trans.__('Edit')}
        </Toggle>
      </div>
      {doing.what === 'edit' && <EditModel model={model} about={about} {...doing.form} />}
    </>
  ) : null;
}

const VISIBILITIES = ['private', 'organisation', 'public'] as const;
const PEOPLE = ['owners', 'editors', 'readers'] as const;

/** Say whose it is, who may do what, who may see it, and what it is for. */
function EditModel({ model, about, ...done }: IOfModel & IDone): JSX.Element {
  const { service, trans } = useSurroundings();
  // As it was when somebody began to write: others may change it meanwhile.
  const [was] = useState(() => ({ ...about, owners: about.owners.join(', '), editors: about.editors.join(', '), readers: about.readers.join(', ') }));
  const [now, setNow] = useState(was);
  const set = (name: keyof IAbout) => (text: string) => setNow({ ...now, [name]: text });
  const people = PEOPLE.filter(each => now[each] !== was[each]).map(each => [each, listed(now[each])] as const);
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
      {...done}
    >
      <LongField label={trans.__('What it is for')} rows={2} value={now.description} onText={set('description')} />
      {PEOPLE.map(each => (
        <Field key={each} label={said[each]} value={now[each]} onText={set(each)} />
      ))}
      <Choice label={trans.__('Who may see it; a server may hold people to it')} value={now.visibility} choices={VISIBILITIES} onChoose={set('visibility')} />
      <LongField label={trans.__('Readme')} rows={5} value={now.readme} onText={set('readme')} />
    </Form>
  );
}
