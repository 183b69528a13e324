import { lockIcon } from '@jupyterlab/ui-components';
import React, { useState } from 'react';

import type { IModelDetail, IProtection, IVersionItem } from '../contract';
import { byNumber, label } from '../words';
import { Toggle, useDoing, type IDoing, type IDone } from './doing';
import { Field } from './fields';
import { Form, type Act, type IForce } from './form';
import { Section, useSurroundings, When } from './parts';
import { useMay } from './permitted';
import { To } from './way';

/** The aliases of a model that move by force alone. */
export type Protections = { readonly [alias: string]: IProtection };

type Doing = `drop ${string}` | `protect ${string}` | `unprotect ${string}` | 'protect';

/** Where the aliases of a model point, and which of them move by force alone. */
export function Aliases({ detail, onChanged }: { detail: IModelDetail; onChanged: () => void }): JSX.Element {
  const { trans } = useSurroundings();
  const may = useMay();
  const doing = useDoing<Doing>(onChanged);
  const model = detail.model.name;
  // One that is protected need not point anywhere yet.
  const names = [...new Set([...Object.keys(detail.aliases), ...Object.keys(detail.protected)])].sort();
  return (
    <Section title={trans.__('Aliases')} count={names.length} isOpen={names.length > 0}>
      {() => (
        <>
          {names.length === 0 && <p className="jp-nbreg-quiet">{trans.__("None yet: a version's page gives it one, which code loads it by.")}</p>}
          <ul className="jp-nbreg-Rows" aria-label={trans.__('Aliases of %1', model)}>
            {names.map(each => (
              <Alias key={each} alias={each} detail={detail} doing={doing} />
            ))}
          </ul>
          {may.own && (
            <Toggle doing={doing} opens="protect">
              {trans.__('Protect one that is not there yet…')}
            </Toggle>
          )}
          {doing.what === 'protect' && <Protect model={model} alias="" {...doing.form} />}
        </>
      )}
    </Section>
  );
}

interface IAlias {
  alias: string;
  detail: IModelDetail;
  doing: IDoing<Doing>;
}

/** An alias, where it points, and what can be done with it. */
function Alias({ alias, detail, doing }: IAlias): JSX.Element {
  const { trans } = useSurroundings();
  const may = useMay();
  const { name: model } = detail.model;
  const [number, guard] = [detail.aliases[alias], detail.protected[alias]];
  return (
    <li>
      <div className="jp-nbreg-Row">
        <span>
          <span className="jp-nbreg-Alias">
            {guard && <Lock />}
            {alias}
          </span>{' '}
          {number === undefined ? (
            <span className="jp-nbreg-quiet">{trans.__('points nowhere yet')}</span>
          ) : (
            <To place={{ kind: 'version', ref: `${model}@${number}` }}>{`${model}@${number}`}</To>
          )}
        </span>
        {may.change && (
          <span className="jp-nbreg-Actions jp-nbreg-mod-inline">
            {may.own && guard && (
              <Toggle doing={doing} opens={`unprotect ${alias}`} label={trans.__('Protect %1 no longer…', alias)}>
                {trans.__('unprotect…')}
              </Toggle>
            )}
            {may.own && !guard && (
              <Toggle doing={doing} opens={`protect ${alias}`} label={trans.__('Protect %1…', alias)}>
                {trans.__('protect…')}
              </Toggle>
            )}
            {number !== undefined && (
              <Toggle doing={doing} opens={`drop ${alias}`} label={trans.__('Take the alias %1 away', alias)}>
                ×
              </Toggle>
            )}
          </span>
        )}
      </div>
      {guard && (
        <div className="jp-nbreg-quiet">
          {trans.__('protected by %1', guard.by)} · <When at={guard.at} />
          {guard.reason && ` · ${guard.reason}`}
        </div>
      )}
      {doing.what === `drop ${alias}` && <DropAlias model={model} alias={alias} guarded={detail.protected} {...doing.form} />}
      {doing.what === `protect ${alias}` && <Protect model={model} alias={alias} {...doing.form} />}
      {doing.what === `unprotect ${alias}` && <Unprotect model={model} alias={alias} {...doing.form} />}
    </li>
  );
}

/** That it moves by force alone. */
export function Lock(): JSX.Element {
  const { trans } = useSurroundings();
  return (
    <span className="jp-nbreg-Lock" role="img" aria-label={trans.__('protected')}>
      <lockIcon.react tag="span" width="11px" height="11px" />
    </span>
  );
}

interface IOfAlias extends IDone {
  model: string;
  alias: string;
}

function Protect({ model, alias: given, ...done }: IOfAlias): JSX.Element {
  const { service, trans } = useSurroundings();
  const [typed, setTyped] = useState('');
  const alias = given || typed.trim();
  return (
    <Form
      title={given ? trans.__('Protect %1', given) : trans.__('Protect an alias')}
      verb={trans.__('Protect')}
      told={trans.__('Then it moves and goes by force alone, with a reason. Say why it matters: whoever wants to move it reads that.')}
      isReady={alias !== ''}
      act={why => service.ask('protect', { ...why, model, alias })}
      {...done}
    >
      {!given && <Field label={trans.__('Alias')} value={typed} placeholder="champion" onText={setTyped} />}
    </Form>
  );
}

function Unprotect({ model, alias, ...done }: IOfAlias): JSX.Element {
  const { service, trans } = useSurroundings();
  return (
    <Form
      title={trans.__('Protect %1 no longer', alias)}
      verb={trans.__('Unprotect')}
      told={trans.__('From now on anybody moves it without being asked.')}
      needsReason
      act={why => service.ask('unprotect', { ...why, model, alias })}
      {...done}
    />
  );
}

/** Point an alias at a version. */
export function SetAlias({ item, guarded, ...done }: IDone & { item: IVersionItem; guarded: Protections }): JSX.Element {
  const { service, trans } = useSurroundings();
  const [typed, setTyped] = useState('');
  const alias = typed.trim();
  const set =
    (force: boolean): Act =>
    why =>
      service.ask('set-alias', { ...why, ref: byNumber(item), alias, force });
  return (
    <Form
      title={trans.__('An alias for %1', label(item.version))}
      verb={trans.__('Set')}
      told={trans.__('If another version has it, it moves to this one.')}
      isReady={alias !== ''}
      act={set(false)}
      force={pastProtection(alias, guarded, trans.__('Set all the same'), set(true))}
      {...done}
    >
      <Field label={trans.__('Alias')} value={typed} placeholder="champion" onText={setTyped} />
    </Form>
  );
}

/** Take an alias away. */
export function DropAlias({ model, alias, guarded, ...done }: IOfAlias & { guarded: Protections }): JSX.Element {
  const { service, trans } = useSurroundings();
  const drop =
    (force: boolean): Act =>
    why =>
      service.ask('drop-alias', { ...why, model, alias, force });
  return (
    <Form
      title={trans.__('Take the alias %1 away', alias)}
      verb={trans.__('Take away')}
      told={trans.__('Whoever loads %1 is told that there is none.', `${model}@${alias}`)}
      act={drop(false)}
      force={pastProtection(alias, guarded, trans.__('Take away all the same'), drop(true))}
      {...done}
    />
  );
}

/** The way past an alias's protection. */
function pastProtection(alias: string, guarded: Protections, verb: string, act: Act): IForce {
  return {
    codes: ['protected-alias'],
    isKnown: Object.hasOwn(guarded, alias),
    verb,
    told: () => <Guarded alias={alias} by={guarded[alias]} />,
    act
  };
}

/** That an alias is protected, by whom and why. */
function Guarded({ alias, by }: { alias: string; by: IProtection | undefined }): JSX.Element {
  const { trans } = useSurroundings();
  return (
    <div>
      <b>{trans.__('%1 is protected: it moves by force alone.', alias)}</b>
      {by && <div>{[trans.__('by %1', by.by), by.reason].filter(Boolean).join(' · ')}</div>}
    </div>
  );
}
